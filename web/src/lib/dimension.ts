/** What a value of a dimension selects, as a filter term, where that can be told from the value alone. */
import type { Dimension, Flow } from "~/api/schema";
import { term } from "./filter";

/** The term of a series' key; `undefined` where the key is not a value of one field. */
export function termOf(by: Dimension, key: string): string | undefined {
  if (key === "") return undefined;
  switch (by) {
    case "host":
      return term("host", key, true);
    case "application":
    case "process":
    case "name":
    case "interface":
      return term(by, key);
    case "protocol":
      return term("protocol", key, true);
    case "port": {
      const [, port, protocol] = /^(\d+)(?:\/(\w+))?$/.exec(key) ?? [];
      if (port === undefined) return undefined;
      return protocol === undefined ? `dport = ${port}` : `dport = ${port} and protocol = ${protocol}`;
    }
    default:
      return undefined;
  }
}

/** IANA keywords of the protocols that carry almost everything. */
const protocolNames: Readonly<Record<number, string>> = {
  1: "icmp",
  2: "igmp",
  4: "ipip",
  6: "tcp",
  17: "udp",
  41: "ipv6",
  47: "gre",
  50: "esp",
  58: "icmpv6",
  89: "ospf",
  112: "vrrp",
  132: "sctp",
};

export function protocolName(number: number): string {
  return protocolNames[number] ?? String(number);
}

/** Address and port as they are written together (RFC 5952 for IPv6). */
export function endpoint(address: string, port: number): string {
  if (port === 0) return address;
  return address.includes(":") ? `[${address}]:${port}` : `${address}:${port}`;
}

/** Whether the row stands for conversations that had no place of their own. */
export function isOther(flow: Flow): boolean {
  return flow.conversations !== 1;
}

/** Seconds from first to last packet. */
export function durationOf(flow: Pick<Flow, "start" | "end">): number {
  return Math.max(0, (Date.parse(flow.end) - Date.parse(flow.start)) / 1000);
}

/** Octets a second over the life of a flow, one second at least, as the server sorts. */
export function meanRate(flow: Flow): number {
  return (flow.octets + flow.reverse_octets) / Math.max(1, durationOf(flow));
}
