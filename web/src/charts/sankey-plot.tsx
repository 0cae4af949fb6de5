/** A Sankey diagram: a column for each dimension, bands as thick as what they carry. */
import { useState } from "react";
import { type Band, bandPath, type Flow, type Node, sankeyOf } from "./sankey";
import styles from "./time-plot.module.css";
import { useWidth } from "./use-width";

type SankeyPlotProps = {
  label: string;
  flows: readonly Flow[];
  /** Names of the columns, each once. */
  levels: readonly string[];
  /** The colour of a node and of what leaves it. */
  colourOf: (name: string) => string;
  figures: (total: number) => string;
};

const head = 24;
const nodeWidth = 10;
const margin = 4;

export function SankeyPlot({ label, flows, levels, colourOf, figures }: SankeyPlotProps) {
  const [box, width] = useWidth<HTMLDivElement>();
  const [over, setOver] = useState<Band>();
  const tallest = Math.max(...levels.map((_, level) => namesAt(flows, level)));
  const height = Math.max(220, Math.min(640, tallest * 34));
  const { nodes, bands } = sankeyOf(flows, levels.length, {
    width: Math.max(100, width - 2 * margin),
    height,
    nodeWidth,
    gap: 10,
  });
  const isLast = (node: Node) => node.level === levels.length - 1;
  const letters = Math.max(8, Math.floor(width / levels.length / 7.5) - 8);
  return (
    <div ref={box} className={styles.box} style={{ height: height + head + 8 }}>
      <svg width={width} height={height + head + 8} role="img" aria-label={label} fontSize="11" data-chart="">
        {levels.map((name, level) => (
          <text
            key={name}
            x={margin + (levels.length < 2 ? 0 : (level / (levels.length - 1)) * (width - 2 * margin))}
            y={14}
            textAnchor={level === levels.length - 1 ? "end" : level === 0 ? "start" : "middle"}
            fill="var(--text-3)"
          >
            {name}
          </text>
        ))}
        <g transform={`translate(${margin} ${head})`}>
          {bands.map((band) => (
            <path
              key={`${band.from.level} ${band.from.name} ${band.to.name}`}
              d={bandPath(band, nodeWidth)}
              fill={colourOf(band.from.name)}
              fillOpacity={over === undefined ? 0.34 : over.from === band.from && over.to === band.to ? 0.66 : 0.16}
              onPointerEnter={() => setOver(band)}
              onPointerLeave={() => setOver(undefined)}
            >
              <title>{`${band.from.name} → ${band.to.name}: ${figures(band.total)}`}</title>
            </path>
          ))}
          {nodes.map((node) => (
            <g key={`${node.level} ${node.name}`} data-node={node.name}>
              <rect x={node.x} y={node.y} width={nodeWidth} height={node.height} rx="1.5" fill={colourOf(node.name)} />
              <text
                x={isLast(node) ? node.x - 6 : node.x + nodeWidth + 6}
                y={node.y + node.height / 2 + 4}
                textAnchor={isLast(node) ? "end" : "start"}
                fill="var(--text)"
              >
                {shortened(node.name, letters)}
                <tspan dx="6" fill="var(--text-3)">
                  {figures(node.total)}
                </tspan>
              </text>
            </g>
          ))}
        </g>
      </svg>
    </div>
  );
}

function namesAt(flows: readonly Flow[], level: number): number {
  const names = flows.flatMap((flow) =>
    flow.level === level ? [flow.source] : flow.level + 1 === level ? [flow.target] : [],
  );
  return new Set(names).size;
}

function shortened(name: string, letters: number): string {
  return name.length > letters ? `${name.slice(0, letters - 1)}…` : name;
}
