/**
 * Layers of a graph that goes from left to right: each node stands one further than the farthest that leads to it, so that edges point
 * right. What would close a circle is a way back: it is drawn, and moves nothing. Pure.
 */
import { grouped } from "~/lib/grouped";

export type GraphNode = {
  id: string;
  /** Where ways begin: on the left. */
  isStart: boolean;
  /** Where ways end: on the right, when nothing follows. */
  isEnd: boolean;
  /** Nodes of one group stand together in their layer. */
  group?: string | undefined;
};
export type GraphEdge = { from: string; to: string };
export type Graph = { nodes: readonly GraphNode[]; edges: readonly GraphEdge[] };

/** The layer of each node, from 0 without gaps. */
export function layersOf({ nodes, edges }: Graph): Map<string, number> {
  const leaving = grouped(edges, ({ from }) => from);
  const next = new Map([...leaving].map(([from, all]) => [from, all.map(({ to }) => to).toSorted()]));
  const order = topological(nodes, next);
  const layers = new Map(nodes.map(({ id }) => [id, 0]));
  const place = new Map(order.map((id, index) => [id, index]));
  for (const id of order) {
    const layer = layers.get(id) ?? 0;
    for (const to of next.get(id) ?? []) {
      const isBack = (place.get(to) ?? 0) <= (place.get(id) ?? 0);
      if (!isBack && (layers.get(to) ?? 0) <= layer) layers.set(to, layer + 1);
    }
  }
  const last = Math.max(0, ...layers.values());
  for (const { id, isStart, isEnd } of nodes) {
    if (!isStart && layers.get(id) === 0) layers.set(id, 1);
    if (isEnd && (next.get(id) ?? []).length === 0) layers.set(id, Math.max(1, last));
  }
  return layers;
}

/** Every node after those that lead to it, but for ways back. Starts come first, then by id: the same graph has the same order. */
function topological(nodes: readonly GraphNode[], next: ReadonlyMap<string, readonly string[]>): string[] {
  const roots = nodes.toSorted((a, b) => Number(b.isStart) - Number(a.isStart) || (a.id < b.id ? -1 : 1));
  const seen = new Set<string>();
  const done: string[] = [];
  for (const { id } of roots) {
    if (seen.has(id)) continue;
    seen.add(id);
    const stack = [{ id, at: 0 }];
    for (let top = stack.at(-1); top !== undefined; top = stack.at(-1)) {
      const child = next.get(top.id)?.[top.at];
      top.at += 1;
      if (child === undefined) {
        done.push(top.id);
        stack.pop();
      } else if (!seen.has(child)) {
        seen.add(child);
        stack.push({ id: child, at: 0 });
      }
    }
  }
  return done.reverse();
}
