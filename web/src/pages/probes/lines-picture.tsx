/** Some numbers of a probe as lines, or as phases one on another. */
import { niceCeiling } from "~/charts/stack";
import { gapsOf, stacked } from "~/charts/steps";
import { type Layer, type Note, TimePlot } from "~/charts/time-plot";
import { useT } from "~/i18n";
import { useFormat } from "~/prefs/use-format";
import { Swatch } from "./detail/parts";
import { PictureFrame, StepTable } from "./picture-frame";
import styles from "./probes.module.css";
import type { Lane } from "./smoke";
import { type Asked, type Lanes, type Source, useLanes } from "./use-lanes";

export type Line = Asked & { label: string; colour: string };

const keyOf = ({ metric, agent }: Asked) => (agent === undefined ? metric : `${metric} ${agent}`);

type LinesPictureProps = {
  label: string;
  source: Source;
  lines: readonly Line[];
  /** One on another: their sum is a time of its own. */
  together?: boolean;
  /** What a value is drawn as; the axis is in this unit. */
  scale?: number;
  /** A value in the unit of the axis, for people. */
  figures: (value: number) => string;
  /** What the axis shows at least. */
  least?: readonly [number, number];
  note: string;
  notes: readonly Note[];
  height?: number;
  table: boolean;
  cursor: number | undefined;
  onCursor: (index: number | undefined) => void;
};

export function LinesPicture(props: LinesPictureProps) {
  const { label, source, lines, scale = 1, figures, note, height = 240, table } = props;
  const answer = useLanes(source, lines);
  const values = answer.lanes.map((lane) => lane.map((value) => (value === null ? null : value * scale)));
  return (
    <PictureFrame label={label} lanes={answer} height={height} note={note}>
      {table ? (
        <StepTable
          label={label}
          lanes={answer}
          columns={lines.map((line, lane) => ({
            id: keyOf(line),
            header: line.label,
            cell: (i) => figureAt(values[lane], i, figures),
          }))}
        />
      ) : (
        <Plot {...props} answer={answer} values={values} height={height} />
      )}
      <ul className={styles.legend} aria-label={useT()("chart.legend")}>
        {lines.map((line) => (
          <li key={keyOf(line)}>
            <Swatch colour={line.colour} /> {line.label}
          </li>
        ))}
      </ul>
    </PictureFrame>
  );
}

type PlotProps = LinesPictureProps & { answer: Lanes; values: readonly Lane[]; height: number };

function Plot(props: PlotProps) {
  const { label, lines, together = false, figures, least, answer, values, notes, height, cursor, onCursor } = props;
  const format = useFormat();
  const { from, step, count } = answer;
  const known = Array.from({ length: count }, (_, i) => (values.some((lane) => lane[i] != null) ? 0 : null));
  const layers = layersOf(lines, values, together);
  const all = [...(least ?? [0, 0]), ...layers.flatMap((layer) => layer.values.filter((value) => value !== null))];
  const [low, high] = [Math.min(...all), Math.max(...all)];
  return (
    <TimePlot
      label={label}
      from={from}
      step={step}
      count={count}
      layers={layers}
      extent={[-niceCeiling(-low), least !== undefined && high <= least[1] ? least[1] : niceCeiling(high) || 1]}
      gaps={gapsOf(known)}
      notes={notes}
      height={height}
      figures={figures}
      signed
      cursor={cursor}
      onCursor={onCursor}
      tooltip={(index) => (
        <>
          <strong>{format.moment(from + index * step)}</strong>
          <dl>
            {lines.map((line, lane) => [
              <Swatch key={`${keyOf(line)} colour`} colour={line.colour} />,
              <dt key={`${keyOf(line)} name`}>{line.label}</dt>,
              <dd key={`${keyOf(line)} value`}>{figureAt(values[lane], index, figures)}</dd>,
            ])}
          </dl>
        </>
      )}
    />
  );
}

function layersOf(lines: readonly Line[], values: readonly Lane[], together: boolean): Layer[] {
  if (!together) {
    return lines.map((line, i) => ({ key: keyOf(line), colour: line.colour, values: values[i] ?? [] }));
  }
  return stacked(values).map(({ lower, upper }, i) => ({
    key: lines[i]?.metric ?? String(i),
    colour: lines[i]?.colour ?? "var(--series-other)",
    values: upper,
    lower,
  }));
}

function figureAt(lane: Lane | undefined, index: number, figures: (value: number) => string): string {
  const value = lane?.[index];
  return value == null ? "–" : figures(value);
}
