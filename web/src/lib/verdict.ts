/**
 * Network or application? What the TCP measurements of one flow say, as findings with their numbers.
 *
 * The point of capture splits the path: client side is towards the initiator, server side towards the responder. Thresholds are
 * rules of thumb and stand here, in one place. Limits: a flow whose handshake was not seen has no round-trip times, and one
 * without a request and an answer has no response time; then the verdict says what is missing.
 */
import type { Flow, FlowTcp } from "~/api/schema";

export type Side = "client" | "server";

export type Finding =
  | { kind: "refused" | "unanswered" }
  | { kind: "reset" }
  | { kind: "loss"; side: Side; retransmitted: number; packets: number; share: number }
  | { kind: "latency"; side: Side; seconds: number }
  | { kind: "response"; seconds: number; roundTrip: number | undefined }
  | { kind: "window"; side: Side; count: number };

export type Verdict = {
  blame: "network" | "application" | "both" | "neither" | "unknown";
  findings: Finding[];
};

/** More retransmissions than this part of the segments are felt. */
const lossShare = 0.01;
/** Fewer than this many may be chance. */
const lossCount = 3;
/** A round trip over this many seconds makes every click slow. */
const slowRoundTrip = 0.15;
/** An application that thinks longer than this, and much longer than the network needs, is what one waits for. */
const slowResponse = 0.3;

export function verdictOf(flow: Flow): Verdict | undefined {
  const { tcp } = flow;
  if (tcp == null) return undefined;
  const network = [...ends(flow), ...losses(flow, tcp), ...latencies(tcp)];
  const application = [...response(tcp), ...windows(tcp)];
  const findings = [...network, ...application];
  if (flow.state === "refused") return { blame: "application", findings };
  if (findings.length > 0) return { blame: blameOf(network.length > 0, application.length > 0), findings };
  const measured = tcp.client_rtt != null || tcp.server_rtt != null || tcp.response_time != null;
  return { blame: measured || flow.packets + flow.reverse_packets >= 20 ? "neither" : "unknown", findings };
}

/** Retransmitted segments of one direction as a share of its packets. */
export function retransmittedShare(retransmitted: number, packets: number): number {
  return packets > 0 ? Math.min(1, retransmitted / packets) : 0;
}

function blameOf(network: boolean, application: boolean): Verdict["blame"] {
  if (network && application) return "both";
  return network ? "network" : "application";
}

function ends(flow: Flow): Finding[] {
  if (flow.state === "refused") return [{ kind: "refused" }];
  if (flow.reverse_packets === 0 && flow.packets > 1) return [{ kind: "unanswered" }];
  return flow.state === "reset" ? [{ kind: "reset" }] : [];
}

function losses(flow: Flow, tcp: FlowTcp): Finding[] {
  const of = (side: Side, retransmitted: number, packets: number): Finding[] => {
    const share = retransmittedShare(retransmitted, packets);
    if (retransmitted < lossCount || share < lossShare) return [];
    return [{ kind: "loss", side, retransmitted, packets, share }];
  };
  return [
    ...of("client", tcp.retransmitted, flow.packets),
    ...of("server", tcp.reverse_retransmitted, flow.reverse_packets),
  ];
}

function latencies(tcp: FlowTcp): Finding[] {
  const of = (side: Side, seconds: number | null | undefined): Finding[] =>
    seconds != null && seconds > slowRoundTrip ? [{ kind: "latency", side, seconds }] : [];
  return [...of("client", tcp.client_rtt), ...of("server", tcp.server_rtt)];
}

function response(tcp: FlowTcp): Finding[] {
  const seconds = tcp.response_time;
  const roundTrip = (tcp.server_rtt ?? 0) + (tcp.client_rtt ?? 0);
  if (seconds == null || seconds < slowResponse || seconds < 2 * roundTrip) return [];
  return [{ kind: "response", seconds, roundTrip: roundTrip > 0 ? roundTrip : undefined }];
}

function windows(tcp: FlowTcp): Finding[] {
  const of = (side: Side, count: number): Finding[] => (count > 0 ? [{ kind: "window", side, count }] : []);
  return [...of("client", tcp.zero_windows), ...of("server", tcp.reverse_zero_windows)];
}
