/** A map of heat: a row for each series, a column for each step, brighter where it is more. */
import { memo, type PointerEvent, type ReactNode, useId } from "react";
import { useFormat } from "~/prefs/use-format";
import { useZone } from "~/prefs/use-zone";
import { scale, timeTicks } from "./steps";
import styles from "./time-plot.module.css";
import { useWidth } from "./use-width";
import { viridis } from "./viridis";

export type HeatRow = { key: string; label: string; values: readonly (number | null)[] };
export type Cell = { row: number; index: number };

type HeatPlotProps = {
  label: string;
  from: number;
  step: number;
  count: number;
  rows: readonly HeatRow[];
  /** Pixels of a row. */
  rowHeight?: number;
  /** Nothing is drawn where there is nothing, and no line between rows: they are the steps of one axis. */
  bare?: boolean;
  gaps: readonly (readonly [number, number])[];
  cursor: Cell | undefined;
  onCursor: (cell: Cell | undefined) => void;
  tooltip: (cell: Cell) => ReactNode;
};

const usualHeight = 24;
const right = 12;
const bottom = 24;
/** Steps of the colour scale: more cannot be told apart. */
const levels = 24;

export function HeatPlot(props: HeatPlotProps) {
  const { label, count, rows, rowHeight = usualHeight, cursor, onCursor, tooltip } = props;
  const [box, width] = useWidth<HTMLDivElement>();
  const left = leftOf(width, props.bare);
  const inner = Math.max(10, width - left - right);
  const height = rows.length * rowHeight + bottom;
  const onMove = (event: PointerEvent<HTMLElement>) => {
    const area = event.currentTarget.getBoundingClientRect();
    const index = Math.floor(((event.clientX - area.left) / area.width) * count);
    const row = Math.floor((event.clientY - area.top) / rowHeight);
    onCursor({ row: Math.min(rows.length - 1, Math.max(0, row)), index: Math.min(count - 1, Math.max(0, index)) });
  };
  const at = cursor === undefined ? 0 : left + ((cursor.index + 0.5) / count) * inner;
  return (
    <div ref={box} className={styles.box} style={{ height, overflow: "visible" }}>
      {width > 0 && <Drawing {...props} width={width} height={height} />}
      <div
        className={styles.surface}
        style={{ left, right, top: 0, bottom }}
        role="img"
        aria-label={label}
        onPointerMove={onMove}
        onPointerLeave={() => onCursor(undefined)}
      />
      {cursor !== undefined && (
        <div
          className={styles.tooltip}
          style={{
            top: (cursor.row + 1) * rowHeight + 4,
            ...(at > width / 2 ? { right: width - at + 8 } : { left: at + 8 }),
          }}
        >
          {tooltip(cursor)}
        </div>
      )}
    </div>
  );
}

/** Room for the names; the numbers of an axis need less. */
function leftOf(width: number, bare = false): number {
  if (bare) return 62;
  return Math.min(240, Math.max(96, width * 0.22));
}

type DrawingProps = HeatPlotProps & { width: number; height: number };

const Drawing = memo(
  function Drawing({ width, height, from, step, count, rows, rowHeight = usualHeight, bare, gaps }: DrawingProps) {
    const id = useId();
    const format = useFormat();
    const zone = useZone();
    const left = leftOf(width, bare);
    const x = scale([0, count], [left, width - right]);
    const time = scale([from, from + count * step], [left, width - right]);
    const most = Math.max(2, Math.floor((width - left - right) / 78));
    const letters = Math.floor(left / 6.6);
    return (
      <svg width={width} height={height} aria-hidden="true" fontSize="11" data-chart="">
        <defs>
          <pattern id={id} width="6" height="6" patternUnits="userSpaceOnUse">
            <path d="M0 6L6 0" stroke="var(--line-strong)" />
          </pattern>
        </defs>
        {heatPaths(rows, x, rowHeight, bare ? 0 : 2).map(({ level, path }) =>
          bare && level === 0 ? null : (
            <path key={level} d={path} fill={viridis(level / levels)} shapeRendering="crispEdges" />
          ),
        )}
        {gaps.map(([start, end]) => (
          <g key={start} data-gap="">
            <rect x={x(start)} y={0} width={x(end) - x(start)} height={rows.length * rowHeight} fill="var(--bg)" />
            <rect x={x(start)} y={0} width={x(end) - x(start)} height={rows.length * rowHeight} fill={`url(#${id})`} />
          </g>
        ))}
        {rows.map(({ key, label }, i) => (
          <text key={key} x={left - 8} y={i * rowHeight + rowHeight / 2 + 4} textAnchor="end" fill="var(--text-2)">
            {label.length > letters ? `${label.slice(0, letters - 1)}…` : label}
          </text>
        ))}
        {timeTicks(from, from + count * step, most, zone).map(({ at, day }) => (
          <text
            key={at}
            x={Math.min(time(at), width - 20)}
            y={height - 7}
            textAnchor="middle"
            fill={day ? "var(--text-2)" : "var(--text-3)"}
          >
            {day ? format.day(at) : format.clock(at).slice(0, 5)}
          </text>
        ))}
      </svg>
    );
  },
  (before, after) => before.rows === after.rows && before.width === after.width && before.gaps === after.gaps,
);

/** One path for each level of the scale. The scale is the square root, so that what is small is seen beside what is large. */
export function heatPaths(
  rows: readonly HeatRow[],
  x: (index: number) => number,
  rowHeight = usualHeight,
  between = 2,
): { level: number; path: string }[] {
  const largest = Math.max(0, ...rows.flatMap(({ values }) => values.map((value) => value ?? 0)));
  const paths = new Map<number, string>();
  rows.forEach(({ values }, row) => {
    const level = (i: number) => levelOf(values[i] ?? 0, largest);
    for (let start = 0; start < values.length; ) {
      let end = start + 1;
      while (end < values.length && level(end) === level(start)) end += 1;
      const shape = `M${x(start)} ${row * rowHeight}H${x(end)}V${(row + 1) * rowHeight - between}H${x(start)}Z`;
      paths.set(level(start), (paths.get(level(start)) ?? "") + shape);
      start = end;
    }
  });
  return [...paths].map(([level, path]) => ({ level, path })).sort((a, b) => a.level - b.level);
}

function levelOf(value: number, largest: number): number {
  return largest <= 0 ? 0 : Math.ceil(Math.sqrt(value / largest) * levels);
}
