/** Where the nodes and bands of a Sankey diagram lie. Pure: sizes in, places out. */
export type Flow = { level: number; source: string; target: string; total: number };
export type Node = { level: number; name: string; total: number; x: number; y: number; height: number };
export type Band = { from: Node; to: Node; total: number; y0: number; y1: number; thickness: number };
export type Sankey = { nodes: Node[]; bands: Band[] };
export type Box = { width: number; height: number; nodeWidth: number; gap: number };

/** Nodes of a level stand one below the other, largest first; what flows in and what flows out fills each from its top. */
export function sankeyOf(flows: readonly Flow[], levels: number, box: Box): Sankey {
  const columns = Array.from({ length: levels }, (_, level) => namesOf(flows, level));
  const tallest = Math.max(1, ...columns.map((column) => column.length));
  const gap = Math.min(box.gap, (box.height * 0.4) / tallest);
  const whole = Math.max(1, ...columns.map((column) => column.reduce((sum, [, total]) => sum + total, 0)));
  const unit = (box.height - gap * (tallest - 1)) / whole;
  const nodes = columns.flatMap((column, level) => {
    let y = 0;
    return column.map(([name, total]): Node => {
      const x = levels < 2 ? 0 : (level / (levels - 1)) * (box.width - box.nodeWidth);
      const node = { level, name, total, x, y, height: Math.max(1, total * unit) };
      y += node.height + gap;
      return node;
    });
  });
  return { nodes, bands: bandsOf(flows, nodes, unit) };
}

function bandsOf(flows: readonly Flow[], nodes: readonly Node[], unit: number): Band[] {
  const find = (level: number, name: string) => nodes.find((node) => node.level === level && node.name === name);
  const used = new Map<string, number>();
  const take = (side: string, node: Node, thickness: number) => {
    const key = `${side} ${node.level} ${node.name}`;
    const start = used.get(key) ?? 0;
    used.set(key, start + thickness);
    return node.y + start;
  };
  const placed = flows.flatMap(({ level, source, target, total }) => {
    const [from, to] = [find(level, source), find(level + 1, target)];
    return from === undefined || to === undefined ? [] : [{ from, to, total, thickness: total * unit }];
  });
  // In the order of both ends, so that bands cross as little as they can.
  placed.sort((a, b) => a.from.y - b.from.y || a.to.y - b.to.y);
  const out = placed.map((band) => ({ ...band, y0: take("out", band.from, band.thickness), y1: 0 }));
  for (const band of [...out].sort((a, b) => a.to.y - b.to.y || a.from.y - b.from.y)) {
    band.y1 = take("in", band.to, band.thickness);
  }
  return out;
}

/** The names of a level with what passes through them, largest first. */
function namesOf(flows: readonly Flow[], level: number): [string, number][] {
  const [inward, outward] = [new Map<string, number>(), new Map<string, number>()];
  for (const flow of flows) {
    if (flow.level === level) outward.set(flow.source, (outward.get(flow.source) ?? 0) + flow.total);
    if (flow.level + 1 === level) inward.set(flow.target, (inward.get(flow.target) ?? 0) + flow.total);
  }
  const names = [...new Set([...inward.keys(), ...outward.keys()])];
  return names
    .map((name): [string, number] => [name, Math.max(inward.get(name) ?? 0, outward.get(name) ?? 0)])
    .sort((a, b) => b[1] - a[1]);
}

/** The outline of a band between two columns. */
export function bandPath({ from, to, y0, y1, thickness }: Band, nodeWidth: number): string {
  const [left, right] = [from.x + nodeWidth, to.x].map(round);
  const [top0, top1, low0, low1] = [y0, y1, y0 + thickness, y1 + thickness].map(round);
  const middle = round((from.x + nodeWidth + to.x) / 2);
  return (
    `M${left} ${top0}C${middle} ${top0} ${middle} ${top1} ${right} ${top1}` +
    `V${low1}C${middle} ${low1} ${middle} ${low0} ${left} ${low0}Z`
  );
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}
