import { describe, expect, it } from "vitest";
import { grouped } from "~/lib/grouped";
import { hullOf } from "./hull";
import { type Graph, layersOf } from "./layers";
import { gapX, gapY, layoutOf } from "./layout";
import { crossings, ordered } from "./order";

/** A graph of ways: the first node of each is an agent, the last a target. */
function graphOf(...ways: string[]): Graph {
  const all = ways.map((way) => way.split(" "));
  const ids = [...new Set(all.flat())];
  const pairs = all.flatMap((way) => way.slice(1).map((to, i) => `${way[i]} ${to}`));
  return {
    nodes: ids.map((id) => ({
      id,
      isStart: all.some((way) => way[0] === id),
      isEnd: all.some((way) => way.at(-1) === id),
    })),
    edges: [...new Set(pairs)].map((pair) => {
      const [from = "", to = ""] = pair.split(" ");
      return { from, to };
    }),
  };
}

/** The same numbers in every run. */
function chance(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

function randomGraph(seed: number, ways: number): Graph {
  const next = chance(seed);
  const pick = (n: number) => Math.floor(next() * n);
  return graphOf(
    ...Array.from({ length: ways }, () =>
      [
        `a${pick(5)}`,
        ...Array.from({ length: 3 + pick(9) }, (_, hop) => `h${hop}.${pick(Math.max(2, ways / 8))}`),
        `t${pick(40)}`,
      ].join(" "),
    ),
  );
}

describe("layers", () => {
  it("put agents left and targets right, and each hop behind what leads to it", () => {
    const layers = layersOf(graphOf("a x y t", "b y t", "a u"));
    expect(Object.fromEntries(layers)).toEqual({ a: 0, b: 0, x: 1, y: 2, t: 3, u: 3 });
  });

  it("leave ways back out", () => {
    const layers = layersOf(graphOf("a x y x y t"));
    expect(Object.fromEntries(layers)).toEqual({ a: 0, x: 1, y: 2, t: 3 });
  });

  it("keep a target in its place that others pass", () => {
    expect(layersOf(graphOf("a x", "a x y t")).get("x")).toBe(1);
  });
});

describe("order", () => {
  it("counts crossings", () => {
    const links = [
      { from: "a", to: "y" },
      { from: "b", to: "x" },
    ];
    expect(
      crossings(
        [
          ["a", "b"],
          ["x", "y"],
        ],
        links,
      ),
    ).toBe(1);
    expect(
      crossings(
        [
          ["a", "b"],
          ["y", "x"],
        ],
        links,
      ),
    ).toBe(0);
  });

  it("undoes what need not cross, and keeps groups together", () => {
    const links = ["a y", "b x", "x p", "y q"].map((pair) => {
      const [from = "", to = ""] = pair.split(" ");
      return { from, to };
    });
    const layers = [
      ["a", "b"],
      ["x", "y"],
      ["p", "q"],
    ];
    expect(crossings(ordered({ layers, links, group: () => undefined }), links)).toBe(0);
    const [layer = []] = ordered({
      layers: [["1", "2", "3", "4"]],
      links: [],
      group: (id) => (Number(id) % 2 === 0 ? "even" : undefined),
    });
    expect(Math.abs(layer.indexOf("2") - layer.indexOf("4"))).toBe(1);
  });
});

describe("layout", () => {
  it.each([1, 2, 3, 4, 5])("places everything, nothing on another (%i)", (seed) => {
    const graph = randomGraph(seed, 60);
    const { places, edges, width, height } = layoutOf(graph);
    expect(places.size).toBe(graph.nodes.length);
    const columns = grouped(places.values(), ({ x }) => x);
    for (const [x, column] of columns) {
      expect(x % gapX).toBe(0);
      const ys = column.map(({ y }) => y).toSorted((a, b) => a - b);
      for (let i = 1; i < ys.length; i += 1) expect((ys[i] ?? 0) - (ys[i - 1] ?? 0)).toBeGreaterThanOrEqual(gapY - 1);
    }
    for (const { x, y } of places.values()) {
      expect(x >= 0 && x <= width && y >= 0 && y <= height).toBe(true);
    }
    expect(edges.length).toBe(graph.edges.length);
    for (const { points, isBack } of edges) {
      expect(points.length).toBeGreaterThanOrEqual(2);
      if (!isBack) expect(points.every(({ x }, i) => i === 0 || x === (points[i - 1]?.x ?? 0) + gapX)).toBe(true);
    }
  });

  it("is the same for the same graph, in whatever order it comes", () => {
    const graph = randomGraph(7, 40);
    const turned = { nodes: graph.nodes.toReversed(), edges: graph.edges.toReversed() };
    const [one, other] = [layoutOf(graph), layoutOf(turned)];
    for (const [id, place] of one.places) expect(other.places.get(id)).toEqual(place);
  });

  it("keeps the order of what was there when something comes", () => {
    const before = layoutOf(graphOf("a x t", "a y u", "b z v"));
    const after = layoutOf(graphOf("a x t", "a y u", "b z v", "b w v"), before);
    const order = (ids: readonly string[]) => ids.filter((id) => before.places.has(id));
    expect(after.order.map(order)).toEqual(before.order.map(order));
  });

  it("runs a single way straight", () => {
    const { places } = layoutOf(graphOf("a x y z t"));
    expect(new Set([...places.values()].map(({ y }) => y)).size).toBe(1);
  });

  it("does nothing with nothing", () => {
    expect(layoutOf({ nodes: [], edges: [] })).toMatchObject({ width: 0, height: 0, edges: [] });
  });

  it("takes some hundred nodes", () => {
    const graph = randomGraph(11, 400);
    expect(graph.nodes.length).toBeGreaterThan(300);
    expect(layoutOf(graph).places.size).toBe(graph.nodes.length);
  });
});

describe("hull", () => {
  const reach = { left: 1, right: 2, top: 3, bottom: 4 };
  it("is a box around one place, and holds all boxes of several", () => {
    const box = hullOf([{ x: 10, y: 10 }], reach);
    expect(new Set(box.map(({ x, y }) => `${x} ${y}`))).toEqual(new Set(["9 7", "12 7", "12 14", "9 14"]));
    const around = hullOf(
      [
        { x: 0, y: 0 },
        { x: 100, y: 0 },
        { x: 50, y: 10 },
        { x: 50, y: 80 },
      ],
      reach,
    );
    expect(around.some(({ x, y }) => x === 52 && y === 14)).toBe(false);
    expect(around.some(({ x, y }) => x === 52 && y === 84)).toBe(true);
    expect(hullOf([], reach)).toEqual([]);
  });
});
