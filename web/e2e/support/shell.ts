/** Running programs: to their end, or beside the test until it stops them. */
import { type ChildProcess, execFileSync, spawn } from "node:child_process";

/** The output of a program that must succeed. */
export function run(program: string, ...args: readonly string[]): string {
  return execFileSync(program, args, { encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });
}

/** Programs that were started and not yet stopped: killed when the tests end, however they end. */
const running = new Set<ChildProcess>();
process.on("exit", () => {
  for (const child of running) child.kill("SIGKILL");
});

export type Background = {
  /** Everything that it has printed so far. */
  output: () => string;
  exited: () => boolean;
  /** Asks it to end, and waits until it has; after five seconds it is killed. */
  stop: () => Promise<void>;
};

export function start(program: string, args: readonly string[], env: NodeJS.ProcessEnv = {}): Background {
  const child = spawn(program, args, { env: { ...process.env, ...env }, stdio: ["ignore", "pipe", "pipe"] });
  running.add(child);
  let output = "";
  const take = (data: Buffer) => {
    output = (output + data.toString()).slice(-100_000);
  };
  child.stdout.on("data", take);
  child.stderr.on("data", take);
  const ended = new Promise<void>((resolve) => {
    child.once("error", (cause) => {
      output += String(cause);
      resolve();
    });
    child.once("exit", () => resolve());
  }).then(() => void running.delete(child));
  return {
    output: () => output,
    exited: () => child.exitCode !== null || child.signalCode !== null,
    stop: async () => {
      if (child.exitCode !== null || child.signalCode !== null) return;
      child.kill("SIGTERM");
      const timer = setTimeout(() => child.kill("SIGKILL"), 5000);
      await ended;
      clearTimeout(timer);
    },
  };
}

/** Waits until `probe` gives something, and says what it gave last when it does not in time. */
export async function until<T>(
  what: string,
  probe: () => T | undefined | Promise<T | undefined>,
  within = 20_000,
): Promise<T> {
  const end = Date.now() + within;
  let last: unknown;
  for (;;) {
    try {
      const found = await probe();
      if (found !== undefined && found !== false) return found;
      last = found;
    } catch (cause) {
      last = cause;
    }
    if (Date.now() > end) throw new Error(`not within ${within} ms: ${what}; last: ${String(last)}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
