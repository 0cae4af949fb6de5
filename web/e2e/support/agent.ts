/** An agent beside the server of a file of tests: a process with a data directory of its own, gone when the tests end. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll } from "vitest";
import { binary } from "./server";
import { type Background, start } from "./shell";

/** Called at the top of a file of tests; starts the agent with those words after `netwatch agent`, in the place that `prefix` enters. */
export function anAgent(): (prefix: readonly string[], words: readonly string[]) => Background {
  const data = mkdtempSync(join(tmpdir(), "netwatch-e2e-agent-"));
  let running: Background | undefined;
  afterAll(async () => {
    await running?.stop();
    rmSync(data, { recursive: true, force: true });
  });
  return ([program = "ip", ...before], words) => {
    running = start(program, [...before, binary(), "agent", ...words, "--data-dir", data]);
    return running;
  };
}
