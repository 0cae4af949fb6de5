/** How agents and their collectors stand, for marks. Pure. */
import type { Agent, AgentClock, AgentCollector, AgentState, CollectorState } from "~/api/schema";
import type { Status } from "~/ui/controls";

export const marks: Readonly<Record<AgentState, Status>> = {
  online: "ok",
  stale: "warning",
  offline: "critical",
  unknown: "unknown",
  never: "silent",
  disabled: "paused",
};

export const collectorMarks: Readonly<Record<CollectorState, Status>> = {
  running: "ok",
  degraded: "warning",
  failed: "critical",
  idle: "silent",
};

const worseness: Readonly<Record<CollectorState, number>> = { failed: 3, degraded: 2, running: 1, idle: 0 };

/** The state that says most of an agent's collectors, and how many of them are in it. */
export function worstCollectors(
  collectors: readonly AgentCollector[],
): { state: CollectorState; count: number } | undefined {
  const [worst] = collectors.toSorted((a, b) => worseness[b.state] - worseness[a.state]);
  if (worst === undefined) return undefined;
  return { state: worst.state, count: collectors.filter(({ state }) => state === worst.state).length };
}

/** Seconds by which a clock may be wrong before a reader has to know: events of two hosts change their order. */
const tolerable = 0.5;

export type ClockStanding = "synchronised" | "free" | "wrong";

/** `wrong` only when its error cannot explain the offset. */
export function clockStanding({ offset_seconds, error_seconds, synchronised }: AgentClock): ClockStanding {
  if (Math.abs(offset_seconds) - error_seconds > tolerable) return "wrong";
  return synchronised ? "synchronised" : "free";
}

export const clockMarks: Readonly<Record<ClockStanding, Status>> = {
  synchronised: "ok",
  free: "unknown",
  wrong: "warning",
};

/** What a probe's list of agents calls an agent that has no name here. */
export function shortId(id: string): string {
  return id.slice(0, 8);
}

/** The address that says most: the one it is seen from, else the first of its own. */
export function addressOf({ peer_address, addresses }: Pick<Agent, "peer_address" | "addresses">): string | undefined {
  return peer_address ?? addresses[0];
}
