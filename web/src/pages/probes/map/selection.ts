/** What belongs together on a map: the traces that pass a node, the nodes and edges of traces, the nodes that a text fits. Pure. */
import type { MapNode, MapTrace, NetworkMap } from "~/api/schema";

export type Passing = { traces: readonly MapTrace[]; nodes: ReadonlySet<string>; edges: ReadonlySet<string> };

export const edgeKey = (from: string, to: string): string => `${from} ${to}`;

export function tracesThrough({ traces }: NetworkMap, node: string): MapTrace[] {
  return traces.filter(({ paths }) => paths.some(({ nodes }) => nodes.includes(node)));
}

/** The traces through a node and everything that their paths through it touch. */
export function passing(map: NetworkMap, node: string): Passing {
  const traces = tracesThrough(map, node);
  const [nodes, edges] = [new Set<string>([node]), new Set<string>()];
  for (const path of traces.flatMap(({ paths }) => paths).filter((path) => path.nodes.includes(node))) {
    path.nodes.forEach((id, i) => {
      nodes.add(id);
      const next = path.nodes[i + 1];
      if (next !== undefined) edges.add(edgeKey(id, next));
    });
  }
  return { traces, nodes, edges };
}

/** The edges that join two of the nodes. */
export function edgesBetween({ edges }: NetworkMap, nodes: ReadonlySet<string>): ReadonlySet<string> {
  const joined = edges.filter(({ from, to }) => nodes.has(from) && nodes.has(to));
  return new Set(joined.map(({ from, to }) => edgeKey(from, to)));
}

/** The nodes that a text fits: by name, address, target or network, or because a probe of that name measures there. */
export function fitting(map: NetworkMap, text: string): ReadonlySet<string> {
  const wanted = text.trim().toLowerCase();
  if (wanted === "") return new Set();
  const has = (word: string | null | undefined) => word?.toLowerCase().includes(wanted) === true;
  const systems = new Map(map.systems.map((system) => [system.asn, `AS${system.asn} ${system.name ?? ""}`]));
  const own = ({ name, address, targets, network, agent, asn }: MapNode) =>
    [name, address, network, agent, ...(targets ?? []), asn == null ? null : systems.get(asn)].some(has);
  const probed = map.traces
    .filter(({ name }) => has(name))
    .flatMap(({ paths }) => paths.map(({ nodes }) => nodes.at(-1)));
  return new Set([...map.nodes.filter(own).map(({ id }) => id), ...probed.filter((id) => id !== undefined)]);
}

/** Says whether two maps have the same shape, so that the picture can stay as it is. */
export function shapeOf({ nodes, edges }: NetworkMap): string {
  return [
    ...nodes.map(({ id, kind, asn }) => `${id} ${kind} ${asn ?? ""}`),
    ...edges.map(({ from, to }) => edgeKey(from, to)),
  ].join("\n");
}
