/**
 * A drawing over time of answers that stand still: areas and lines of steps, gaps hatched, a crosshair, zoom by drag.
 *
 * It is SVG in colours of the theme, so that it follows a change of theme by itself and can be saved as it is. Live rates are drawn
 * by `plot` on a canvas instead. Limits: some hundred steps, some dozen layers.
 */
import { memo, type PointerEvent, type ReactNode, useId, useRef, useState } from "react";
import { useFormat } from "~/prefs/use-format";
import { useZone } from "~/prefs/use-zone";
import { useTimeActions } from "~/time/time";
import { type Scale, scale, stepArea, stepLine, timeTicks, valueTicks } from "./steps";
import styles from "./time-plot.module.css";
import { useWidth } from "./use-width";

export type Layer = {
  key: string;
  colour: string;
  /** Upper edge of an area, or the line itself. */
  values: readonly (number | null)[];
  /** Lower edge; absent for a line. */
  lower?: readonly number[];
  dashed?: boolean;
  /** Of an area; without an edge when it is said. */
  opacity?: number;
  /** The colour of each step of a line, in place of the one colour; the line is then drawn strong. */
  colours?: readonly (string | undefined)[];
};

/** A bar at the foot of a step, as long as its share of the foot's height; a share of 1 marks the whole step. */
export type FootMark = { index: number; share: number; colour: string };

/** Something that happened at a moment, in milliseconds: a line over the whole height. */
export type Note = { at: number; text: string };

export type TimePlotProps = {
  label: string;
  /** Start of the first step and length of a step, in milliseconds. */
  from: number;
  step: number;
  count: number;
  layers: readonly Layer[];
  extent: readonly [number, number];
  /** Stretches without data, as half-open ranges of steps. */
  gaps: readonly (readonly [number, number])[];
  /** Something else that each step has, below the lines. */
  foot?: readonly FootMark[];
  /** What happened meanwhile; the texts stand in the tooltip of their step. */
  notes?: readonly Note[];
  height: number;
  figures: (value: number) => string;
  /** Below zero is less than nothing, not the other direction. */
  signed?: boolean;
  /** The step under the pointer, of this plot or of another one of the page. */
  cursor: number | undefined;
  onCursor: (index: number | undefined) => void;
  tooltip?: (index: number) => ReactNode;
};

const left = 62;
const right = 12;
const top = 8;
const bottom = 24;
/** Pixels of a foot mark with a share of 1. */
const footHeight = 26;

export function TimePlot(props: TimePlotProps) {
  const { label, from, step, count, height, cursor, onCursor, tooltip } = props;
  const { zoomTo, zoomOut } = useTimeActions();
  const [box, width] = useWidth<HTMLDivElement>();
  const [drag, setDrag] = useState<{ from: number; to: number }>();
  const inner = Math.max(10, width - left - right);
  const place = (event: PointerEvent<Element>) => {
    const at = event.clientX - (box.current?.getBoundingClientRect().left ?? 0) - left;
    return Math.min(1, Math.max(0, at / inner));
  };
  const onMove = (event: PointerEvent<Element>) => {
    const share = place(event);
    onCursor(Math.min(count - 1, Math.floor(share * count)));
    if (drag !== undefined) setDrag({ ...drag, to: share });
  };
  const onUp = () => {
    setDrag(undefined);
    if (drag === undefined || Math.abs(drag.to - drag.from) * inner < 5) return;
    const [start, end] = [Math.min(drag.from, drag.to), Math.max(drag.from, drag.to)];
    zoomTo(from + start * count * step, from + end * count * step);
  };
  const cursorLeft = cursor === undefined ? undefined : left + ((cursor + 0.5) / count) * inner;
  return (
    <div ref={box} className={styles.box} style={{ height }}>
      {width > 0 && <Drawing {...props} width={width} />}
      <div
        className={styles.surface}
        style={{ left, right, top, bottom }}
        role="img"
        aria-label={label}
        onPointerMove={onMove}
        onPointerLeave={() => drag === undefined && onCursor(undefined)}
        onPointerDown={(event) => {
          if (event.button !== 0 || event.pointerType === "touch") return;
          event.currentTarget.setPointerCapture(event.pointerId);
          const share = place(event);
          setDrag({ from: share, to: share });
        }}
        onPointerUp={onUp}
        onDoubleClick={zoomOut}
      />
      {cursorLeft !== undefined && (
        <div className={styles.crosshair} style={{ left: cursorLeft, top, height: height - top - bottom }} />
      )}
      {drag !== undefined && (
        <div
          className={styles.selection}
          style={{
            left: left + Math.min(drag.from, drag.to) * inner,
            width: Math.abs(drag.to - drag.from) * inner,
            top,
            height: height - top - bottom,
          }}
        />
      )}
      {tooltip !== undefined && cursor !== undefined && cursorLeft !== undefined && drag === undefined && (
        <div
          className={styles.tooltip}
          style={cursorLeft > width / 2 ? { right: width - cursorLeft + 12 } : { left: cursorLeft + 12 }}
        >
          {tooltip(cursor)}
          {notesAt(props, cursor).map(({ at, text }) => (
            <p key={at} className={styles.note}>
              {text}
            </p>
          ))}
        </div>
      )}
    </div>
  );
}

type DrawingProps = Omit<TimePlotProps, "cursor" | "onCursor" | "tooltip"> & { width: number };

/** Everything that does not follow the pointer. */
const Drawing = memo(function Drawing({
  width,
  height,
  from,
  step,
  count,
  layers,
  extent,
  gaps,
  foot = [],
  notes = [],
  figures,
  signed = false,
}: DrawingProps) {
  const id = useId();
  const format = useFormat();
  const zone = useZone();
  const plot = { left, right: width - right, top, bottom: height - bottom };
  const y = scale([extent[0], extent[1]], [plot.bottom, plot.top]);
  const x = scale([0, count], [plot.left, plot.right]);
  const most = Math.max(2, Math.floor((plot.right - plot.left) / 78));
  const time = scale([from, from + count * step], [plot.left, plot.right]);
  return (
    <svg width={width} height={height} aria-hidden="true" fontSize="11" data-chart="">
      <defs>
        <pattern id={id} width="6" height="6" patternUnits="userSpaceOnUse">
          <path d="M0 6L6 0" stroke="var(--line-strong)" />
        </pattern>
      </defs>
      {valueTicks(extent[0], extent[1], height / 48).map((value) => (
        <g key={value}>
          <path
            d={`M${plot.left} ${y(value)}H${plot.right}`}
            stroke={value === 0 ? "var(--line-strong)" : "var(--line)"}
          />
          <text x={plot.left - 8} y={y(value) + 4} textAnchor="end" fill="var(--text-3)">
            {figures(signed ? value : Math.abs(value))}
          </text>
        </g>
      ))}
      {gaps.map(([start, end]) => (
        <rect
          key={start}
          data-gap=""
          x={x(start)}
          y={plot.top}
          width={Math.max(1, x(end) - x(start))}
          height={plot.bottom - plot.top}
          fill={`url(#${id})`}
        />
      ))}
      {foot.map(({ index, share, colour }) => (
        <g key={index} data-foot="">
          {share >= 1 && (
            <rect
              x={x(index)}
              y={plot.top}
              width={Math.max(1, x(index + 1) - x(index))}
              height={plot.bottom - plot.top}
              fill={colour}
              fillOpacity="0.12"
            />
          )}
          <rect
            x={x(index)}
            y={plot.bottom - Math.max(3, share * footHeight)}
            width={Math.max(1, x(index + 1) - x(index))}
            height={Math.max(3, share * footHeight)}
            fill={colour}
            shapeRendering="crispEdges"
          />
        </g>
      ))}
      {layers.map((layer) => (
        <Shape key={layer.key} layer={layer} x={x} y={y} />
      ))}
      {notes
        .filter(({ at }) => at >= from && at < from + count * step)
        .map(({ at }) => (
          <g key={at} data-note="" stroke="var(--accent)" fill="var(--accent)">
            <path d={`M${time(at)} ${plot.top}V${plot.bottom}`} strokeDasharray="3 3" />
            <path d={`M${time(at) - 4} ${plot.top - 6}h8l-4 6z`} stroke="none" />
          </g>
        ))}
      {extent[0] < 0 && <path d={`M${plot.left} ${y(0)}H${plot.right}`} stroke="var(--text-3)" />}
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
});

/** The notes of a step. */
function notesAt({ notes = [], from, step }: TimePlotProps, index: number): readonly Note[] {
  return notes.filter(({ at }) => Math.floor((at - from) / step) === index);
}

function Shape({ layer, x, y }: { layer: Layer; x: Scale; y: Scale }) {
  const { values, lower, colour, dashed, opacity, colours } = layer;
  if (colours !== undefined) return <ColouredLine values={values} colours={colours} colour={colour} x={x} y={y} />;
  if (lower !== undefined) {
    return (
      <path
        d={stepArea(values, lower, x, y)}
        fill={colour}
        fillOpacity={opacity ?? 0.62}
        stroke={opacity === undefined ? colour : "none"}
        strokeWidth="0.75"
        shapeRendering="crispEdges"
      />
    );
  }
  return (
    <path
      d={stepLine(values, x, y)}
      fill="none"
      stroke={colour}
      strokeWidth={dashed ? 1.25 : 1.5}
      strokeLinejoin="round"
      {...(dashed ? { strokeDasharray: "5 4" } : {})}
    />
  );
}

type ColouredLineProps = {
  values: Layer["values"];
  colours: readonly (string | undefined)[];
  colour: string;
  x: Scale;
  y: Scale;
};

/** A faint line that joins the steps, and over it each step in its own colour. */
function ColouredLine({ values, colours, colour, x, y }: ColouredLineProps) {
  const paths = new Map<string, string>();
  values.forEach((value, i) => {
    if (value === null) return;
    const of = colours[i] ?? colour;
    paths.set(of, `${paths.get(of) ?? ""}M${x(i)} ${y(value)}H${x(i + 1)}`);
  });
  return (
    <g fill="none">
      <path d={stepLine(values, x, y)} stroke={colour} strokeWidth="0.75" />
      {[...paths].map(([of, path]) => (
        <path key={of} d={path} stroke={of} strokeWidth="2.5" data-colour={of} />
      ))}
    </g>
  );
}

/** The step under the pointer, in step over all plots that are given it; `undefined` when it is elsewhere. */
export function useCursor(): [number | undefined, (index: number | undefined) => void] {
  const [cursor, setCursor] = useState<number>();
  const latest = useRef(cursor);
  return [
    cursor,
    (index) => {
      if (latest.current === index) return;
      latest.current = index;
      setCursor(index);
    },
  ];
}
