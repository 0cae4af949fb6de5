/** Two traces hop by hop: what is the same, what changed, what is new and what is gone. Pure. */
import type { TraceHop, TracePath } from "~/api/schema";

export type HopChange = "same" | "address" | "silent" | "answers" | "labels" | "new" | "gone";
export type HopPair = { ttl: number; before: TraceHop | undefined; after: TraceHop | undefined; change: HopChange };

/** By distance: a hop that is silent in one of them has neither changed its address nor kept it. */
export function compared(before: TracePath | undefined, after: TracePath | undefined): HopPair[] {
  const old = new Map(before?.hops.map((hop) => [hop.ttl, hop]));
  const now = new Map(after?.hops.map((hop) => [hop.ttl, hop]));
  const distances = [...new Set([...old.keys(), ...now.keys()])].sort((a, b) => a - b);
  return distances.map((ttl) => {
    const [one, other] = [old.get(ttl), now.get(ttl)];
    return { ttl, before: one, after: other, change: changeOf(one, other) };
  });
}

export function changeOf(before: TraceHop | undefined, after: TraceHop | undefined): HopChange {
  if (before === undefined) return "new";
  if (after === undefined) return "gone";
  if (before.address == null && after.address == null) return "same";
  if (after.address == null) return "silent";
  if (before.address == null) return "answers";
  if (before.address !== after.address) return "address";
  return labelsOf(before) === labelsOf(after) ? "same" : "labels";
}

/** Whether the way is another one; a hop that falls silent or speaks again is on the same way. */
export function isOtherRoute(pairs: readonly HopPair[]): boolean {
  return pairs.some(({ change }) => change === "address" || change === "new" || change === "gone");
}

export type System = { asn: number; name: string | null | undefined };

/** The autonomous systems that a path goes through, in order. Hops of unknown systems are passed over. */
export function asPath({ hops }: Pick<TracePath, "hops">): System[] {
  const systems: System[] = [];
  for (const { asn, organization } of hops) {
    if (asn != null && systems.at(-1)?.asn !== asn) systems.push({ asn, name: organization });
  }
  return systems;
}

export function systemName({ asn, name }: System): string {
  return name == null ? `AS${asn}` : `AS${asn} ${name}`;
}

export type HopState = "silent" | "limited" | "lossy" | "clear";

/**
 * What a hop's answers say. Loss counts when it goes on to the last hop: a router that only answers seldom loses nothing.
 */
export function hopState(hop: TraceHop, path: TracePath): HopState {
  if (hop.address == null || hop.answered === 0) return "silent";
  if (hop.rate_limited) return "limited";
  if (hop.answered >= hop.sent) return "clear";
  const later = path.hops.filter((one) => one.ttl > hop.ttl && one.answered > 0);
  return later.some((one) => one.answered >= one.sent) ? "limited" : "lossy";
}

/** Share of the packets that a hop did not answer, 0 to 1. */
export function unanswered(hop: TraceHop): number {
  return hop.sent === 0 ? 0 : (hop.sent - hop.answered) / hop.sent;
}

function labelsOf(hop: TraceHop): string {
  return (hop.mpls ?? []).map(({ label }) => label).join(",");
}
