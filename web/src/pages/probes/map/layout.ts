/**
 * Where the nodes of a map stand and how its edges run: layers from left to right, few crossings, short edges. Pure and without chance:
 * the same graph has the same picture, and a graph that grew keeps the order that it had.
 *
 * Limits: some hundred nodes take milliseconds; edges over several layers run through places of their own.
 */
import { grouped } from "~/lib/grouped";
import { type Graph, layersOf } from "./layers";
import { type Link, ordered } from "./order";

export type Point = { x: number; y: number };
export type LaidEdge = { from: string; to: string; points: readonly Point[]; isBack: boolean };
export type Layout = {
  places: ReadonlyMap<string, Point>;
  edges: readonly LaidEdge[];
  width: number;
  height: number;
  /** Ids of each layer from top to bottom, with those of bends: what a later layout begins with. */
  order: readonly (readonly string[])[];
};

/** Pixels between layers, between nodes of a layer, and between bends. */
export const gapX = 150;
export const gapY = 52;
const gapBend = 18;
const rounds = 10;

export function layoutOf(graph: Graph, before?: Layout): Layout {
  const layerOf = layersOf(graph);
  const { links, bends, chains } = linksOf(graph, layerOf);
  const last = Math.max(0, ...layerOf.values());
  const layers: string[][] = Array.from({ length: last + 1 }, () => []);
  for (const { id } of graph.nodes) layers[layerOf.get(id) ?? 0]?.push(id);
  for (const [id, layer] of bends) layers[layer]?.push(id);
  const known = new Map((before?.order ?? []).flatMap((ids) => ids.map((id, index) => [id, index] as const)));
  const groups = new Map(graph.nodes.map(({ id, group }) => [id, group]));
  const order = ordered({
    layers: begun(layers, known, links),
    links,
    group: (id) => groups.get(id),
  });
  const heights = heightsOf(order, links, bends);
  const at = (id: string, layer: number): Point => ({ x: layer * gapX, y: heights.get(id) ?? 0 });
  const places = new Map(graph.nodes.map(({ id }) => [id, at(id, layerOf.get(id) ?? 0)] as const));
  const edges = chains.map(({ from, to, through, isBack }) => ({
    from,
    to,
    isBack,
    points: [from, ...through, to].map((id) => places.get(id) ?? at(id, bends.get(id) ?? 0)),
  }));
  return { places, edges, width: last * gapX, height: Math.max(0, ...heights.values()), order };
}

type Chain = { from: string; to: string; through: string[]; isBack: boolean };

/** Links between neighbouring layers: long edges are cut by bends, ways back and within a layer are left out. */
function linksOf({ edges }: Graph, layerOf: ReadonlyMap<string, number>) {
  const links: Link[] = [];
  const bends = new Map<string, number>();
  const chains: Chain[] = edges.map(({ from, to }) => {
    const [start, end] = [layerOf.get(from) ?? 0, layerOf.get(to) ?? 0];
    if (end <= start) return { from, to, through: [], isBack: true };
    const through = Array.from({ length: end - start - 1 }, (_, i) => {
      const id = `${from} ${to} ${i}`;
      bends.set(id, start + 1 + i);
      return id;
    });
    const all = [from, ...through, to];
    for (let i = 1; i < all.length; i += 1) links.push({ from: all[i - 1] ?? from, to: all[i] ?? to });
    return { from, to, through, isBack: false };
  });
  return { links, bends, chains };
}

/** The order to begin with: as it was; what is new beside what leads to it. */
function begun(layers: readonly string[][], known: ReadonlyMap<string, number>, links: readonly Link[]): string[][] {
  const leading = grouped(links, ({ to }) => to);
  const place = new Map<string, number>();
  return layers.map((ids) => {
    const weight = (id: string) => {
      const own = known.get(id);
      if (own !== undefined) return own;
      const from = (leading.get(id) ?? []).map((link) => place.get(link.from) ?? 0);
      return from.length === 0 ? ids.length : from.reduce((sum, one) => sum + one, 0) / from.length;
    };
    const sorted = ids
      .map((id) => ({ id, weight: weight(id) }))
      .toSorted((a, b) => a.weight - b.weight || (a.id < b.id ? -1 : 1));
    sorted.forEach(({ id }, index) => {
      place.set(id, index);
    });
    return sorted.map(({ id }) => id);
  });
}

/** Heights in this order: each near the mean of its neighbours, and none too near to the next. */
function heightsOf(order: readonly (readonly string[])[], links: readonly Link[], bends: ReadonlyMap<string, number>) {
  const near = new Map<string, string[]>();
  const both = links.flatMap(({ from, to }) => [[from, to] as const, [to, from] as const]);
  for (const [id, all] of grouped(both, ([id]) => id))
    near.set(
      id,
      all.map(([, other]) => other),
    );
  const gap = (a: string, b: string) => (bends.has(a) && bends.has(b) ? gapBend : gapY);
  const heights = new Map<string, number>();
  for (const ids of order) spread(ids, (_, index) => index * gapY, gap, heights);
  for (let round = 0; round < rounds; round += 1) {
    for (const ids of round % 2 === 0 ? order : order.toReversed()) {
      const wanted = (id: string) => {
        const around = (near.get(id) ?? []).map((other) => heights.get(other) ?? 0);
        return around.length === 0 ? (heights.get(id) ?? 0) : around.reduce((sum, y) => sum + y, 0) / around.length;
      };
      spread(ids, wanted, gap, heights);
    }
  }
  const top = Math.min(...heights.values());
  for (const [id, y] of heights) heights.set(id, Math.round(y - top));
  return heights;
}

/**
 * As near as can be to what each wants, in the sum of squares, with at least the gap between neighbours: pooled adjacent violators.
 */
function spread(
  ids: readonly string[],
  wanted: (id: string, index: number) => number,
  gap: (a: string, b: string) => number,
  heights: Map<string, number>,
): void {
  const offsets: number[] = [];
  const blocks: { sum: number; count: number }[] = [];
  ids.forEach((id, index) => {
    const above = ids[index - 1];
    offsets.push(above === undefined ? 0 : (offsets[index - 1] ?? 0) + gap(above, id));
    let block = { sum: wanted(id, index) - (offsets[index] ?? 0), count: 1 };
    for (let before = blocks.at(-1); before !== undefined; before = blocks.at(-1)) {
      if (before.sum / before.count <= block.sum / block.count) break;
      block = { sum: before.sum + block.sum, count: before.count + block.count };
      blocks.pop();
    }
    blocks.push(block);
  });
  let index = 0;
  for (const { sum, count } of blocks) {
    for (let i = 0; i < count; i += 1, index += 1) heights.set(ids[index] ?? "", sum / count + (offsets[index] ?? 0));
  }
}
