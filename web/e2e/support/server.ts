/** The real binary, started as a user starts it: found by environment, its link read from what it prints. */
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Background, start, until } from "./shell";

export type ServerOptions = {
  /** Words before the program, for example `ip netns exec NAME`. */
  prefix?: readonly string[];
  port: number;
  /** What to capture or read. */
  args: readonly string[];
};

export function binary(): string {
  const folder = process.env.CARGO_TARGET_DIR ?? join(import.meta.dirname, "../../../target");
  const found = process.env.NETWATCH_BINARY ?? process.env.NETWATCH_BIN ?? join(folder, "release/netwatch");
  if (!existsSync(found)) throw new Error(`no binary at ${found}: run \`make build\`, or set NETWATCH_BINARY`);
  return found;
}

export class Server {
  readonly #options: ServerOptions;
  readonly #data = mkdtempSync(join(tmpdir(), "netwatch-e2e-"));
  #process: Background | undefined;

  constructor(options: ServerOptions) {
    this.#options = options;
  }

  get url(): string {
    return `http://127.0.0.1:${this.#options.port}`;
  }

  /** Starts it; the result is the link that it printed. The data directory stays over restarts, and with it sessions. */
  async start(): Promise<string> {
    const { prefix = [], port, args } = this.#options;
    const listen = ["--listen", `127.0.0.1:${port}`, "--data-dir", this.#data];
    const [program = binary(), ...rest] = [...prefix, binary(), "up", ...listen, ...args];
    const process = start(program, rest);
    this.#process = process;
    return until(
      "the link that netwatch prints",
      () => {
        if (process.exited()) throw new Error(`netwatch ended: ${process.output()}`);
        return /http:\/\/\S+\/start#\w+/.exec(process.output())?.[0];
      },
      30_000,
    );
  }

  async stop(): Promise<void> {
    await this.#process?.stop();
    this.#process = undefined;
  }

  async dispose(): Promise<void> {
    await this.stop();
    rmSync(this.#data, { recursive: true, force: true });
  }
}
