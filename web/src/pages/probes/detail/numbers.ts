/** The two numbers of a run that every list shows: loss and response, as the server takes them for its bars. Pure. */
import type { ProbeResult } from "~/api/schema";

/** Share of packets without an answer, 0 to 1; `undefined` for a kind that counts none. */
export function lossOf({ detail }: ProbeResult): number | undefined {
  if (detail == null) return undefined;
  if ("ping" in detail) return detail.ping.loss;
  if ("mtr" in detail) return detail.mtr.loss;
  if ("udp" in detail) return share(detail.udp.sent, detail.udp.received);
  if ("ntp" in detail) return share(detail.ntp.sent, detail.ntp.received);
  if ("simulation" in detail) return share(detail.simulation.sent, detail.simulation.received);
  if ("tcp" in detail) return share(detail.tcp.tried, detail.tcp.connected);
  return undefined;
}

/** Seconds: the median round trip, or the time of the answer. */
export function responseOf({ detail, duration, kind }: ProbeResult): number | undefined {
  if (detail == null) return undefined;
  if ("ping" in detail) return detail.ping.rtt?.median;
  if ("mtr" in detail) return lastHop(detail.mtr)?.rtt?.median;
  if ("udp" in detail) return detail.udp.rtt?.median;
  if ("ntp" in detail) return detail.ntp.rtt?.median;
  if ("simulation" in detail) return detail.simulation.rtt?.median;
  if ("tcp" in detail) return detail.tcp.connect?.median;
  if ("tls" in detail) return detail.tls.connect ?? undefined;
  if ("snmp" in detail) return detail.snmp.time ?? undefined;
  if ("smtp" in detail) return detail.smtp.greeting_time ?? undefined;
  if ("imap" in detail) return detail.imap.greeting_time ?? undefined;
  if ("throughput" in detail) return detail.throughput.idle_rtt ?? undefined;
  if ("dns" in detail) return Math.max(0, ...detail.dns.servers.map(({ time }) => time ?? 0)) || undefined;
  return kind === "http" ? duration : undefined;
}

function share(sent: number, received: number): number {
  return sent === 0 ? 0 : Math.max(0, sent - received) / sent;
}

/** The target's own answer, when it was reached. */
function lastHop({ reached, paths }: { reached: boolean; paths: { hops: Hop[] }[] }): Hop | undefined {
  return reached ? paths[0]?.hops.findLast(({ address }) => address != null) : undefined;
}

type Hop = { address?: string | null; rtt?: { median: number } | null };
