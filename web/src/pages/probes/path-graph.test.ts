import { expect, it } from "vitest";
import type { Trace } from "~/api/schema";
import { graphOf, mostLanes, pathShares } from "./path-graph";

/** A trace of paths, each written as its addresses; a dash is a silent hop. */
const trace = (...paths: string[]) =>
  ({
    paths: paths.map((path) => ({
      id: path,
      hops: path.split(" ").map((address, i) => ({ ttl: i + 1, address: address === "-" ? null : address })),
    })),
  }) as unknown as Trace;

it("gives each address the share of the traces that met it", () => {
  const [first, second, third] = [trace("a b z"), trace("a c z"), trace("a c z", "a b z")];
  const { nodes, lanes } = graphOf([first, second, third], second);
  expect(lanes).toBe(2);
  expect(nodes.map(({ ttl, address, share, shown }) => [ttl, address, share.toFixed(2), shown])).toEqual([
    [1, "a", "1.00", true],
    [2, "b", "0.50", false],
    [2, "c", "0.50", true],
    [3, "z", "1.00", true],
  ]);
});

it("joins hops by edges whose shares add up to all traces", () => {
  const { edges } = graphOf([trace("a b z"), trace("a - z")], undefined);
  for (const ttl of [1, 2]) {
    const shares = edges.filter((edge) => edge.ttl === ttl).map(({ share }) => share);
    expect(shares.reduce((sum, share) => sum + share, 0)).toBeCloseTo(1);
  }
});

it("keeps silent hops apart from those that answer", () => {
  const { nodes } = graphOf([trace("a - z"), trace("a b z"), trace("a b z")], undefined);
  expect(nodes.filter(({ ttl }) => ttl === 2).map(({ address, lane }) => [address, lane])).toEqual([
    ["b", 0],
    [undefined, 1],
  ]);
});

it("merges what finds no lane, and says how many that are", () => {
  const many = Array.from({ length: 9 }, (_, i) => trace(`a b${i} z`));
  const { nodes, lanes } = graphOf(many, many[8]);
  expect(lanes).toBe(mostLanes);
  const last = nodes.find(({ ttl, lane }) => ttl === 2 && lane === mostLanes - 1);
  expect([last?.merged, last?.address, last?.shown, last?.share.toFixed(2)]).toEqual([5, undefined, true, "0.56"]);
});

it("counts how often each path was taken, and when", () => {
  const shares = pathShares([
    { time: 3, trace: trace("a b") },
    { time: 2, trace: trace("a c", "a b") },
    { time: 1, trace: trace("a b", "a b") },
  ]);
  expect(shares.map(({ id, share, traces, first, last }) => [id, share.toFixed(2), traces, first, last])).toEqual([
    ["a b", "0.83", 3, 1, 3],
    ["a c", "0.17", 1, 2, 2],
  ]);
});

it("is empty without traces", () => expect(graphOf([], undefined)).toEqual({ nodes: [], edges: [], lanes: 0 }));
