/** The answer of the explorer as one of five pictures. */
import { useMemo, useState } from "react";
import type { Exploration } from "~/api/schema";
import { type Cell, HeatPlot } from "~/charts/heat-plot";
import { SankeyPlot } from "~/charts/sankey-plot";
import { niceCeiling } from "~/charts/stack";
import { stacked } from "~/charts/steps";
import { type Layer, TimePlot, useCursor } from "~/charts/time-plot";
import plotStyles from "~/charts/time-plot.module.css";
import { useT } from "~/i18n";
import { useFormat } from "~/prefs/use-format";
import { Empty } from "~/ui/feedback";
import styles from "./history.module.css";
import { coloursOf, highest, type Lane, type Lanes } from "./lanes";
import type { Explorer } from "./question";
import { unitOf } from "./unit";

type ChartProps = { answer: Exploration; lanes: Lanes; explorer: Explorer; label: string };

export function ExploreChart(props: ChartProps) {
  switch (props.explorer.chart) {
    case "sankey":
      return <Bands {...props} />;
    case "heatmap":
      return <Heat {...props} />;
    case "grid":
      return <Grid {...props} />;
    default:
      return <Together {...props} />;
  }
}

/** All lanes in one picture, one on another or as lines. */
function Together({ answer, lanes, explorer, label }: ChartProps) {
  const t = useT();
  const format = useFormat();
  const unit = unitOf(answer.measure, format, t);
  const [cursor, onCursor] = useCursor();
  const { mirrored } = explorer;
  const overlay = explorer.previous && !mirrored && explorer.chart === "stacked" ? lanes.previous : undefined;
  const [layers, extent] = useMemo(() => layersOf(lanes.lanes, explorer, overlay), [lanes, explorer, overlay]);
  return (
    <TimePlot
      label={label}
      from={lanes.from}
      step={lanes.step}
      count={lanes.count}
      layers={layers}
      extent={extent}
      gaps={lanes.gaps}
      height={320}
      figures={unit.figures}
      cursor={cursor}
      onCursor={onCursor}
      tooltip={(index) => (
        <Values lanes={lanes} index={index} mirrored={mirrored} rate={unit.rate} previous={overlay?.[index]} />
      )}
    />
  );
}

/** A small picture for each lane, all on one scale. */
function Grid({ answer, lanes, explorer, label }: ChartProps) {
  const t = useT();
  const format = useFormat();
  const unit = unitOf(answer.measure, format, t);
  const [cursor, onCursor] = useCursor();
  const pictures = useMemo(() => {
    const [, extent] = layersOf(lanes.lanes, { ...explorer, chart: "lines" }, undefined);
    return lanes.lanes.map((lane) => {
      const [layers] = layersOf([lane], { ...explorer, chart: "stacked" }, undefined);
      return { lane, layers, extent };
    });
  }, [lanes, explorer]);
  return (
    <div className={styles.grid}>
      {pictures.map(({ lane, layers, extent }) => {
        const name = lane.other ? t("talkers.other") : lane.labels.join(" · ");
        const value = cursor === undefined ? undefined : lane.values[cursor];
        return (
          <figure key={lane.key} aria-label={name}>
            <figcaption>
              <span className="mono" title={name}>
                {name}
              </span>
              <small>{value == null ? unit.total(lane.group.total) : unit.rate(value)}</small>
            </figcaption>
            <TimePlot
              label={`${label}: ${name}`}
              from={lanes.from}
              step={lanes.step}
              count={lanes.count}
              layers={layers}
              extent={extent}
              gaps={lanes.gaps}
              height={132}
              figures={unit.figures}
              cursor={cursor}
              onCursor={onCursor}
            />
          </figure>
        );
      })}
    </div>
  );
}

function Heat({ answer, lanes, label }: ChartProps) {
  const t = useT();
  const format = useFormat();
  const unit = unitOf(answer.measure, format, t);
  const [cell, setCell] = useState<Cell>();
  const rows = useMemo(
    () =>
      lanes.lanes.map(({ key, labels, other, values }) => ({
        key,
        label: other ? t("talkers.other") : labels.join(" · "),
        values,
      })),
    [lanes, t],
  );
  return (
    <HeatPlot
      label={label}
      from={lanes.from}
      step={lanes.step}
      count={lanes.count}
      rows={rows}
      gaps={lanes.gaps}
      cursor={cell}
      onCursor={setCell}
      tooltip={({ row, index }) => {
        const value = rows[row]?.values[index];
        return (
          <>
            <strong>{format.moment(lanes.from + index * lanes.step)}</strong>
            <p className="mono">{rows[row]?.label}</p>
            <p>{value == null ? t("history.nothingRecorded") : unit.rate(value)}</p>
          </>
        );
      }}
    />
  );
}

function Bands({ answer, label }: ChartProps) {
  const t = useT();
  const format = useFormat();
  const unit = unitOf(answer.measure, format, t);
  const flows = useMemo(
    () =>
      answer.edges.map(({ level, source, target, total }) => ({
        level,
        source: source.label,
        target: target.label,
        total,
      })),
    [answer],
  );
  const colours = useMemo(() => coloursOfNames(flows.map(({ source }) => source)), [flows]);
  if (answer.by.length < 2) {
    return (
      <Empty title={t("history.sankeyNeeds")}>
        <p>{t("history.sankeyNeedsText")}</p>
      </Empty>
    );
  }
  return (
    <SankeyPlot
      label={label}
      flows={flows}
      levels={answer.by.map((one) => t(`history.dimension.${one}`))}
      colourOf={(name) => colours.get(name) ?? "var(--series-other)"}
      figures={unit.total}
    />
  );
}

type ValuesProps = {
  lanes: Lanes;
  index: number;
  mirrored: boolean;
  rate: (value: number) => string;
  previous: number | undefined;
};

const listed = 10;

/** What each lane carried in a step, the largest first. */
function Values({ lanes, index, mirrored, rate, previous }: ValuesProps) {
  const t = useT();
  const format = useFormat();
  const at = format.moment(lanes.from + index * lanes.step);
  if (lanes.gaps.some(([start, end]) => index >= start && index < end)) {
    return (
      <>
        <strong>{at}</strong>
        <p>{t("history.nothingRecorded")}</p>
      </>
    );
  }
  const values = lanes.lanes
    .map((lane) => ({ lane, value: lane.values[index] ?? 0 }))
    .filter(({ value }) => value > 0)
    .sort((a, b) => b.value - a.value);
  const sum = (of: (lane: Lane) => readonly (number | null)[]) =>
    lanes.lanes.reduce((total, lane) => total + (of(lane)[index] ?? 0), 0);
  return (
    <>
      <strong>{at}</strong>
      <dl>
        {values
          .slice(0, listed)
          .map(({ lane, value }) => [
            <span key={`${lane.key} colour`} className={plotStyles.swatch} style={{ background: lane.colour }} />,
            <dt key={`${lane.key} name`}>{lane.other ? t("talkers.other") : lane.labels.join(" · ")}</dt>,
            <dd key={`${lane.key} value`}>
              {mirrored ? `↑ ${rate(lane.received[index] ?? 0)} ↓ ${rate(lane.sent[index] ?? 0)}` : rate(value)}
            </dd>,
          ])}
        <span />
        <dt>{t("talkers.total")}</dt>
        <dd>
          {mirrored
            ? `↑ ${rate(sum((lane) => lane.received))} ↓ ${rate(sum((lane) => lane.sent))}`
            : rate(sum((lane) => lane.values))}
        </dd>
        {previous !== undefined && (
          <>
            <span />
            <dt>{t("history.previous")}</dt>
            <dd>{rate(previous)}</dd>
          </>
        )}
      </dl>
    </>
  );
}

/** Layers of a picture and the ends of its axis. */
function layersOf(
  lanes: readonly Lane[],
  { chart, mirrored }: Explorer,
  overlay: readonly number[] | undefined,
): [Layer[], [number, number]] {
  const together = chart === "stacked";
  const half = (of: (lane: Lane) => readonly (number | null)[], sign: 1 | -1): Layer[] => {
    const signed = lanes.map((lane) => of(lane).map((value) => (value === null ? null : sign * value)));
    const edges = together ? stacked(signed) : [];
    return lanes.map((lane, i) => ({
      key: `${sign} ${lane.key}`,
      colour: lane.colour,
      values: edges[i]?.upper ?? signed[i] ?? [],
      ...(edges[i] && { lower: edges[i].lower }),
    }));
  };
  const most = (of: (lane: Lane) => readonly (number | null)[]) => highest(lanes.map(of), together);
  if (mirrored) {
    const layers = [...half((lane) => lane.received, 1), ...half((lane) => lane.sent, -1)];
    const ends: [number, number] = [
      -niceCeiling(most((lane) => lane.sent)),
      niceCeiling(most((lane) => lane.received)),
    ];
    const least = Math.max(ends[1], -ends[0], 1) / 5;
    return [layers, [Math.min(ends[0], -least), Math.max(ends[1], least)]];
  }
  const layers = half((lane) => lane.values, 1);
  if (overlay !== undefined) layers.push({ key: "previous", colour: "var(--text)", values: overlay, dashed: true });
  const top = Math.max(
    most((lane) => lane.values),
    ...(overlay ?? []),
  );
  return [layers, [0, Math.max(niceCeiling(top), Number.EPSILON) || 1]];
}

function coloursOfNames(names: readonly string[]): Map<string, string> {
  const unique = [...new Set(names)].slice(0, 50);
  const colours = coloursOf(unique);
  return new Map(unique.map((name, i) => [name, colours[i] ?? "var(--series-other)"]));
}
