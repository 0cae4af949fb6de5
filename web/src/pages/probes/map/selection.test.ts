import { expect, it } from "vitest";
import type { MapNode, NetworkMap } from "~/api/schema";
import { edgesBetween, fitting, passing, shapeOf, tracesThrough } from "./selection";

const node = (id: string, more: Partial<MapNode> = {}): MapNode => ({
  id,
  kind: "hop",
  distance: 1,
  state: "up",
  sent: 1,
  answered: 1,
  rate_limited: false,
  traces: 1,
  ...more,
});

const trace = (name: string, ...paths: string[]): NetworkMap["traces"][number] => ({
  probe: name,
  name,
  agent: "1",
  target: name,
  time: "2026-11-21T12:00:00Z",
  old: false,
  state: "up",
  loss: 0,
  paths: paths.map((path) => ({ id: path, share: 1 / paths.length, nodes: path.split(" ") })),
});

const map: NetworkMap = {
  time: "2026-11-21T12:00:00Z",
  nodes: [
    node("a", { kind: "agent" }),
    node("x", { name: "Core.example", asn: 64_500 }),
    node("y", { address: "192.0.2.7" }),
  ],
  edges: [],
  traces: [trace("Shop", "a x t", "a y t"), trace("Mail", "a y u")],
  systems: [{ asn: 64_500, name: "Carrier" }],
  left_out: 0,
  untraced: 0,
  unwatched: 0,
};

it("finds the traces through a node, and only those paths of them that pass it", () => {
  expect(tracesThrough(map, "x").map(({ name }) => name)).toEqual(["Shop"]);
  const through = passing(map, "x");
  expect([...through.nodes].toSorted()).toEqual(["a", "t", "x"]);
  expect([...through.edges].toSorted()).toEqual(["a x", "x t"]);
  expect(passing(map, "y").traces.length).toBe(2);
});

it("knows the edges between nodes", () => {
  const edge = (from: string, to: string) => ({ from, to, state: "up" as const, share: 1, traces: 1 });
  const edges = edgesBetween({ ...map, edges: [edge("a", "x"), edge("x", "y")] }, new Set(["x", "y"]));
  expect([...edges]).toEqual(["x y"]);
});

it("fits names, addresses, systems and probes, in any case", () => {
  expect([...fitting(map, "core")]).toEqual(["x"]);
  expect([...fitting(map, "carrier")]).toEqual(["x"]);
  expect([...fitting(map, "192.0.2")]).toEqual(["y"]);
  expect([...fitting(map, "mail")]).toEqual(["u"]);
  expect(fitting(map, "  ").size).toBe(0);
});

it("has another shape when something comes or goes, not when it is slower", () => {
  const [first] = map.nodes;
  if (first === undefined) throw new Error("no node");
  expect(shapeOf({ ...map, nodes: map.nodes.map((one) => ({ ...one, rtt: 1, state: "down" as const })) })).toBe(
    shapeOf(map),
  );
  expect(shapeOf({ ...map, nodes: [first] })).not.toBe(shapeOf(map));
});
