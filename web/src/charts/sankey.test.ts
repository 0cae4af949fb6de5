import { expect, it } from "vitest";
import { bandPath, type Flow, sankeyOf } from "./sankey";

const flows: Flow[] = [
  { level: 0, source: "a", target: "https", total: 60 },
  { level: 0, source: "b", target: "https", total: 30 },
  { level: 0, source: "b", target: "dns", total: 10 },
  { level: 1, source: "https", target: "tcp", total: 90 },
  { level: 1, source: "dns", target: "udp", total: 10 },
];
const box = { width: 500, height: 200, nodeWidth: 10, gap: 8 };

it("gives each node the height of what passes through it", () => {
  const { nodes } = sankeyOf(flows, 3, box);
  const unit = (200 - 8) / 100;
  expect(nodes.map(({ level, name, total }) => `${level} ${name} ${total}`)).toEqual([
    "0 a 60",
    "0 b 40",
    "1 https 90",
    "1 dns 10",
    "2 tcp 90",
    "2 udp 10",
  ]);
  for (const node of nodes) expect(node.height).toBeCloseTo(node.total * unit);
  expect(nodes.map(({ x }) => x)).toEqual([0, 0, 245, 245, 490, 490]);
});

it("fills the nodes with their bands, without a gap and without an overlap", () => {
  const { nodes, bands } = sankeyOf(flows, 3, box);
  for (const node of nodes.filter(({ level }) => level < 2)) {
    const out = bands.filter(({ from }) => from === node).sort((a, b) => a.y0 - b.y0);
    let y = node.y;
    for (const band of out) {
      expect(band.y0).toBeCloseTo(y);
      y += band.thickness;
    }
    expect(y).toBeCloseTo(node.y + node.height);
  }
  for (const band of bands) expect(bandPath(band, 10)).not.toMatch(/NaN|undefined/);
});

it("is empty without flows", () => expect(sankeyOf([], 2, box)).toEqual({ nodes: [], bands: [] }));
