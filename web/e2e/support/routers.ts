/**
 * Routers between the lab and some targets, each a network namespace: two ways that can be chosen between, one router that answers
 * nothing, a target that loses every third packet, and one that nothing leads to.
 *
 * ```text
 *            ┌─ r2 (10.91.2.2) ─┐
 * a ─── r1 ──┼─ r3 (10.91.3.2) ─┼── t: 10.92.0.1 … 10.92.0.4
 *            └─ r4 (silent)     ─┘
 * ```
 */
import { run } from "./shell";

const hosts = ["r1", "r2", "r3", "r4", "t"] as const;
type Host = (typeof hosts)[number];

export const first = "10.91.0.2";
export const ways = { r2: "10.91.2.2", r3: "10.91.3.2" } as const;
export const targets = {
  plain: "10.92.0.1",
  balanced: "10.92.0.2",
  silent: "10.92.0.3",
  lossy: "10.92.0.4",
  gone: "10.92.0.5",
} as const;

export class Routers {
  readonly #id = `${process.pid}`.slice(-5);
  readonly #outside: string;

  /** `inside`: the words that run a program in the namespace of the lab. */
  constructor(inside: readonly string[]) {
    this.#outside = inside[3] ?? "";
  }

  open(): void {
    for (const host of hosts) {
      run("ip", "netns", "add", this.#name(host));
      this.#in(host, "ip", "link", "set", "lo", "up");
      for (const [key, value] of [
        ["net.ipv4.ip_forward", 1],
        ["net.ipv4.icmp_ratelimit", 0],
        ["net.ipv4.conf.all.rp_filter", 0],
        ["net.ipv4.conf.default.rp_filter", 0],
        ["net.ipv4.fib_multipath_hash_policy", 1],
      ] as const) {
        this.#in(host, "sysctl", "-qw", `${key}=${value}`);
      }
    }
    this.#cable([this.#outside, "10.91.0.1"], [this.#name("r1"), first], "up");
    for (const [net, middle] of [
      [2, "r2"],
      [3, "r3"],
      [4, "r4"],
    ] as const) {
      this.#cable([this.#name("r1"), `10.91.${net}.1`], [this.#name(middle), `10.91.${net}.2`], middle);
      this.#cable([this.#name(middle), `10.91.1${net}.1`], [this.#name("t"), `10.91.1${net}.2`], "t");
      this.#in(middle, "ip", "route", "add", "10.91.0.0/24", "via", `10.91.${net}.1`);
      this.#in(middle, "ip", "route", "add", "10.92.0.0/24", "via", `10.91.1${net}.2`);
    }
    run("ip", "-n", this.#outside, "route", "add", "10.92.0.0/24", "via", first);
    this.#in("t", "ip", "route", "add", "10.91.0.0/24", "via", "10.91.12.1");
    for (const target of Object.values(targets).slice(0, 4)) {
      this.#in("t", "ip", "address", "add", `${target}/32`, "dev", "lo");
    }
    this.lead("plain", "r2");
    this.#in("r1", "ip", "route", "add", targets.balanced, "nexthop", "via", ways.r2, "nexthop", "via", ways.r3);
    this.#in("r1", "ip", "route", "add", targets.silent, "via", "10.91.4.2");
    this.#in("r1", "ip", "route", "add", targets.lossy, "via", ways.r3);
    this.#in("r1", "ip", "route", "add", targets.gone, "via", ways.r2);
    this.#in("r2", "ip", "route", "add", "blackhole", targets.gone);
    this.#filter("r4", "chain output { type filter hook output priority 0; ip protocol icmp drop; }");
    const every = `ip daddr ${targets.lossy} numgen inc mod 3 == 0 drop;`;
    this.#filter("t", `chain input { type filter hook input priority 0; ${every} }`);
  }

  /** Sends packets to a target over another router from here on. */
  lead(target: "plain", over: keyof typeof ways): void {
    this.#in("r1", "ip", "route", "replace", targets[target], "via", ways[over]);
  }

  close(): void {
    for (const host of hosts) run("ip", "netns", "del", this.#name(host));
  }

  #name(host: Host): string {
    return `nwe2e${this.#id}${host}`;
  }

  #in(host: Host, ...words: readonly string[]): void {
    run("ip", "netns", "exec", this.#name(host), ...words);
  }

  #filter(host: Host, chain: string): void {
    this.#in(host, "nft", `table ip lab {\n${chain}\n}`);
  }

  /** Joins two namespaces; the interface of each is called after where it leads, and its address is in a /24. */
  #cable([a, addressA]: [string, string], [b, addressB]: [string, string], to: string): void {
    const [nameA, nameB] = [`to-${to}`, `back-${addressA.split(".")[2]}`];
    run("ip", "link", "add", nameA, "netns", a, "type", "veth", "peer", "name", nameB, "netns", b);
    for (const [space, name, address] of [
      [a, nameA, addressA],
      [b, nameB, addressB],
    ] as const) {
      run("ip", "-n", space, "address", "add", `${address}/24`, "dev", name);
      // No address comes later by itself.
      run("ip", "-n", space, "link", "set", name, "addrgenmode", "none");
      run("ip", "-n", space, "link", "set", name, "up");
    }
  }
}
