/**
 * Two network namespaces joined by a cable. In `a` run Netwatch, the browser and the clients; in `b` the servers that they talk to:
 * HTTP (quick, slow and large answers, hostile names), DNS with hostile answers, and a closed port.
 *
 * Nothing outside the two namespaces is touched or reached. Needs root.
 */
import { join } from "node:path";
import { type Background, run, start, until } from "./shell";

export const mayMakeLabs = process.getuid?.() === 0;

const addresses = { a: "10.77.0.1", b: "10.77.0.2", hostile: "10.77.0.66", a6: "fd77::1", b6: "fd77::2" };

export class Lab {
  readonly addresses = addresses;
  readonly interface = "eth0";
  readonly #a: string;
  readonly #b: string;
  readonly #processes: Background[] = [];

  constructor() {
    const id = `${process.pid}`.slice(-5);
    [this.#a, this.#b] = [`nwe2e${id}a`, `nwe2e${id}b`];
  }

  /** Words that run a program in `a`. */
  get inside(): readonly string[] {
    return ["ip", "netns", "exec", this.#a];
  }

  /** Words that run a program in `b`. */
  get beyond(): readonly string[] {
    return ["ip", "netns", "exec", this.#b];
  }

  async open(): Promise<void> {
    for (const name of [this.#a, this.#b]) run("ip", "netns", "add", name);
    run("ip", "link", "add", "eth0", "netns", this.#a, "type", "veth", "peer", "name", "eth0", "netns", this.#b);
    this.#configure(this.#a, addresses.a, addresses.a6);
    this.#configure(this.#b, addresses.b, addresses.b6);
    run("ip", "-n", this.#b, "address", "add", `${addresses.hostile}/24`, "dev", "eth0");
    const peer = start("ip", ["netns", "exec", this.#b, process.execPath, join(import.meta.dirname, "peer.mjs")]);
    this.#processes.push(peer);
    await until("the servers in the other namespace", () => peer.output().includes("ready") || undefined);
  }

  /** Begins traffic that lasts until the lab is closed: requests of all kinds, names, a steady download. */
  async traffic(): Promise<void> {
    const client = start("ip", [
      "netns",
      "exec",
      this.#a,
      "bash",
      join(import.meta.dirname, "traffic.sh"),
      addresses.b,
      addresses.b6,
    ]);
    this.#processes.push(client);
    await until("the first round of traffic", () => client.output().includes("round 1") || undefined);
  }

  async close(): Promise<void> {
    for (const process of this.#processes) await process.stop();
    for (const name of [this.#a, this.#b]) {
      for (const pid of run("ip", "netns", "pids", name).split(/\s+/).filter(Boolean))
        process.kill(Number(pid), "SIGKILL");
      run("ip", "netns", "del", name);
    }
  }

  #configure(name: string, v4: string, v6: string): void {
    run("ip", "-n", name, "address", "add", `${v4}/24`, "dev", "eth0");
    run("ip", "-n", name, "address", "add", `${v6}/64`, "dev", "eth0", "nodad");
    run("ip", "-n", name, "link", "set", "lo", "up");
    run("ip", "-n", name, "link", "set", "eth0", "up");
  }
}
