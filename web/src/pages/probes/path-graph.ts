/**
 * The paths of many traces as one graph: a node for each address at its distance, an edge for each step, both with the share of the
 * traces that took it. Pure.
 *
 * A trace counts once: its paths share it evenly. Limits: `mostLanes` addresses at a distance, of which the last stands for the rest.
 */
import type { Trace } from "~/api/schema";

export type GraphNode = {
  ttl: number;
  lane: number;
  /** Absent for a silent hop, and for what is merged. */
  address: string | undefined;
  name: string | undefined;
  asn: number | undefined;
  share: number;
  /** On a path of the trace that is shown. */
  shown: boolean;
  /** Addresses that this node stands for; 0 for a node of its own. */
  merged: number;
};
export type GraphEdge = { ttl: number; from: number; to: number; nextTtl: number; share: number; shown: boolean };
export type PathGraph = { nodes: GraphNode[]; edges: GraphEdge[]; lanes: number };

export const mostLanes = 5;
const silent = "*";

type Hop = Trace["paths"][number]["hops"][number];
type Seen = { hop: Hop; share: number; shown: boolean };

export function graphOf(traces: readonly Trace[], shown: Trace | undefined): PathGraph {
  const seen = new Map<number, Map<string, Seen>>();
  for (const { trace, hop, weight } of stepsOf(traces)) {
    const at = seen.get(hop.ttl) ?? new Map<string, Seen>();
    seen.set(hop.ttl, at);
    const key = hop.address ?? silent;
    const before = at.get(key);
    at.set(key, {
      hop: before?.hop.name == null ? hop : before.hop,
      share: (before?.share ?? 0) + weight,
      shown: before?.shown === true || trace === shown,
    });
  }
  const lanes = new Map([...seen].map(([ttl, at]) => [ttl, lanesOf(at)] as const));
  const nodes = [...seen].flatMap(([ttl, at]) => nodesOf(ttl, at, lanes.get(ttl) ?? new Map()));
  return {
    nodes: nodes.sort((a, b) => a.ttl - b.ttl || a.lane - b.lane),
    edges: edgesOf(traces, shown, lanes),
    lanes: Math.max(0, ...nodes.map(({ lane }) => lane + 1)),
  };
}

/** Each hop of each path of each trace, with the share of all traces that it stands for, and the hop after it. */
function* stepsOf(
  traces: readonly Trace[],
): Generator<{ trace: Trace; hop: Hop; next: Hop | undefined; weight: number }> {
  for (const trace of traces) {
    const weight = 1 / (traces.length * Math.max(1, trace.paths.length));
    for (const { hops } of trace.paths) {
      for (const [i, hop] of hops.entries()) yield { trace, hop, next: hops[i + 1], weight };
    }
  }
}

/** The lane of each address at one distance: the most frequent first, a silent hop after those that answer as often. */
function lanesOf(at: ReadonlyMap<string, Seen>): Map<string, number> {
  const order = [...at].sort(
    ([a, one], [b, other]) =>
      other.share - one.share || Number(a === silent) - Number(b === silent) || a.localeCompare(b),
  );
  return new Map(order.map(([key], i) => [key, Math.min(i, mostLanes - 1)]));
}

function nodesOf(ttl: number, at: ReadonlyMap<string, Seen>, lanes: ReadonlyMap<string, number>): GraphNode[] {
  const nodes = new Map<number, GraphNode>();
  for (const [key, { hop, share, shown }] of at) {
    const lane = lanes.get(key) ?? 0;
    const other = nodes.get(lane);
    const one = {
      ttl,
      lane,
      address: hop.address ?? undefined,
      name: hop.name ?? undefined,
      asn: hop.asn ?? undefined,
    };
    nodes.set(
      lane,
      other === undefined
        ? { ...one, share, shown, merged: 0 }
        : {
            ...one,
            address: undefined,
            name: undefined,
            asn: undefined,
            share: other.share + share,
            shown: other.shown || shown,
            merged: Math.max(1, other.merged) + 1,
          },
    );
  }
  return [...nodes.values()];
}

function edgesOf(
  traces: readonly Trace[],
  shown: Trace | undefined,
  lanes: ReadonlyMap<number, ReadonlyMap<string, number>>,
): GraphEdge[] {
  const laneOf = (hop: Hop) => lanes.get(hop.ttl)?.get(hop.address ?? silent) ?? 0;
  const edges = new Map<string, GraphEdge>();
  for (const { trace, hop, next, weight } of stepsOf(traces)) {
    if (next === undefined) continue;
    const [from, to] = [laneOf(hop), laneOf(next)];
    const key = `${hop.ttl} ${from} ${next.ttl} ${to}`;
    const before = edges.get(key);
    edges.set(key, {
      ttl: hop.ttl,
      nextTtl: next.ttl,
      from,
      to,
      share: (before?.share ?? 0) + weight,
      shown: before?.shown === true || trace === shown,
    });
  }
  // What is shown lies over the rest.
  return [...edges.values()].sort((a, b) => Number(a.shown) - Number(b.shown) || a.share - b.share);
}

export type PathShare = { id: string; share: number; traces: number; hops: number; first: number; last: number };

/** How often each path was taken, by its stable identity, and when; the most frequent first. Times in milliseconds. */
export function pathShares(traces: readonly { time: number; trace: Trace }[]): PathShare[] {
  const found = new Map<string, PathShare>();
  for (const { time, trace } of traces) {
    const weight = 1 / (traces.length * Math.max(1, trace.paths.length));
    for (const id of new Set(trace.paths.map((path) => path.id))) {
      const paths = trace.paths.filter((path) => path.id === id);
      const before = found.get(id);
      found.set(id, {
        id,
        share: (before?.share ?? 0) + weight * paths.length,
        traces: (before?.traces ?? 0) + 1,
        hops: paths[0]?.hops.length ?? 0,
        first: Math.min(before?.first ?? time, time),
        last: Math.max(before?.last ?? time, time),
      });
    }
  }
  return [...found.values()].sort((a, b) => b.share - a.share || b.last - a.last);
}
