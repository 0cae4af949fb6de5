/**
 * The order of nodes within layers, with few crossings: barycentre sweeps there and back, the best order of all wins (Sugiyama, Tagawa
 * and Toda 1981). An order that was there before is where it begins, and is left only for one with fewer crossings. Pure.
 */
import { grouped } from "~/lib/grouped";

export type Link = { from: string; to: string };

const sweeps = 12;

export type Ordering = {
  /** Ids of each layer, in the order to begin with. */
  layers: readonly (readonly string[])[];
  /** Between neighbouring layers only. */
  links: readonly Link[];
  group: (id: string) => string | undefined;
};

export function ordered({ layers, links, group }: Ordering): string[][] {
  const sides = { right: sideOf(links, "from", "to"), left: sideOf(links, "to", "from") };
  let best = layers.map((layer) => together(layer, (_, index) => index, group));
  let least = crossings(best, links);
  let current = best;
  for (let sweep = 0; sweep < sweeps && least > 0; sweep += 1) {
    const rightwards = sweep % 2 === 0;
    current = swept(current, rightwards ? sides.left : sides.right, rightwards, group);
    const count = crossings(current, links);
    if (count < least) [best, least] = [current, count];
  }
  return best;
}

type Side = ReadonlyMap<string, readonly string[]>;

function sideOf(links: readonly Link[], of: keyof Link, other: keyof Link): Side {
  const side = grouped(links, (link) => link[of]);
  return new Map([...side].map(([id, all]) => [id, all.map((link) => link[other])]));
}

function swept(layers: readonly (readonly string[])[], side: Side, rightwards: boolean, group: Ordering["group"]) {
  const result = layers.map((layer) => [...layer]);
  const indexes = result.map((_, index) => index);
  for (const at of rightwards ? indexes.slice(1) : indexes.reverse().slice(1)) {
    const fixed = new Map((result[rightwards ? at - 1 : at + 1] ?? []).map((id, index) => [id, index]));
    const barycentre = (id: string, index: number) => {
      const places = (side.get(id) ?? []).map((other) => fixed.get(other)).filter((place) => place !== undefined);
      return places.length === 0 ? index : places.reduce((sum, place) => sum + place, 0) / places.length;
    };
    result[at] = together(result[at] ?? [], barycentre, group);
  }
  return result;
}

/** Sorted by weight; nodes of a group stay together at the mean of theirs. Equals keep their order. */
function together(
  layer: readonly string[],
  weightOf: (id: string, index: number) => number,
  group: Ordering["group"],
): string[] {
  const entries = layer.map((id, index) => ({ id, weight: weightOf(id, index), of: group(id) ?? `${index}` }));
  const groups = grouped(entries, ({ of }) => of);
  const means = new Map(
    [...groups].map(([of, all]) => [of, all.reduce((sum, { weight }) => sum + weight, 0) / all.length]),
  );
  const first = new Map([...groups.keys()].map((of, index) => [of, index]));
  const by = (of: string) => [means.get(of) ?? 0, first.get(of) ?? 0] as const;
  return entries
    .toSorted((a, b) => {
      const [[meanA, firstA], [meanB, firstB]] = [by(a.of), by(b.of)];
      return meanA - meanB || firstA - firstB || a.weight - b.weight;
    })
    .map(({ id }) => id);
}

/** How many links cross: inversions, counted with a Fenwick tree. */
export function crossings(layers: readonly (readonly string[])[], links: readonly Link[]): number {
  const place = new Map<string, { layer: number; index: number }>();
  layers.forEach((ids, layer) => {
    ids.forEach((id, index) => {
      place.set(id, { layer, index });
    });
  });
  const between: [number, number][][] = layers.map(() => []);
  for (const { from, to } of links) {
    const [a, b] = [place.get(from), place.get(to)];
    if (a !== undefined && b !== undefined && b.layer === a.layer + 1) between[a.layer]?.push([a.index, b.index]);
  }
  return between.reduce((sum, pairs, layer) => sum + inversions(pairs, layers[layer + 1]?.length ?? 0), 0);
}

function inversions(pairs: [number, number][], size: number): number {
  const tree = new Array<number>(size + 1).fill(0);
  let count = 0;
  pairs.sort(([a, b], [c, d]) => a - c || b - d);
  pairs.forEach(([, to], seen) => {
    let before = 0;
    for (let at = to + 1; at > 0; at -= at & -at) before += tree[at] ?? 0;
    count += seen - before;
    for (let at = to + 1; at <= size; at += at & -at) tree[at] = (tree[at] ?? 0) + 1;
  });
  return count;
}
