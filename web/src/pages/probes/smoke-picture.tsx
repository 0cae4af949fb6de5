/** The smoke chart of a probe: all its delays as bands one in another, its median in the colour of the loss. */
import type { Heatmap } from "~/api/schema";
import { niceCeiling } from "~/charts/stack";
import { gapsOf } from "~/charts/steps";
import { type FootMark, type Layer, type Note, TimePlot, useCursor } from "~/charts/time-plot";
import { useT } from "~/i18n";
import { useFormat } from "~/prefs/use-format";
import { Swatch } from "./detail/parts";
import { lossLane, quantileLane } from "./heat";
import { HeatFrame } from "./heat-frame";
import styles from "./probes.module.css";
import { capped, delayTop, type Lane, lossColour, lossLevels } from "./smoke";
import { type Heat, useHeat } from "./use-heat";
import type { Source } from "./use-lanes";

type SmokePictureProps = {
  label: string;
  source: Source;
  table: boolean;
  /** The kind has no packets of its own: its loss is the share of failed runs. */
  runs: boolean;
  notes: readonly Note[];
};

const height = 320;
const band = "var(--series-other)";
/** Quantiles between which a band lies, the widest first, and how dark it is by itself: where they lie one on another it is darker. */
const bands = [
  [0, 1, 0.14],
  [0.05, 0.95, 0.16],
  [0.1, 0.9, 0.16],
  [0.25, 0.75, 0.2],
  [0.4, 0.6, 0.22],
] as const;

export function SmokePicture({ label, source, table, runs, notes }: SmokePictureProps) {
  const t = useT();
  const heat = useHeat(source);
  return (
    <HeatFrame label={label} heat={heat} height={height} note={t("probe.smokeNote")} table={table}>
      {heat.heat !== undefined && <Smoke label={label} heat={heat} answer={heat.heat} notes={notes} />}
      <Legend runs={runs} />
    </HeatFrame>
  );
}

type SmokeProps = { label: string; heat: Heat; answer: Heatmap; notes: readonly Note[] };

function Smoke({ label, heat, answer, notes }: SmokeProps) {
  const t = useT();
  const format = useFormat();
  const [cursor, onCursor] = useCursor();
  const { from, step, count } = heat;
  const [median, loss] = [quantileLane(answer, 0.5), lossLane(answer)];
  const { top, cut } = delayTop(quantileLane(answer, 0.95), quantileLane(answer, 1));
  const measured = answer.steps.map(({ runs }) => (runs > 0 ? 0 : null));
  return (
    <>
      <TimePlot
        label={label}
        from={from}
        step={step}
        count={count}
        layers={layersOf(answer, median, loss, top)}
        foot={footOf(loss)}
        extent={[0, niceCeiling(top * 1.05) || 0.001]}
        gaps={gapsOf(measured)}
        height={height}
        figures={format.duration}
        cursor={cursor}
        onCursor={onCursor}
        notes={notes}
        tooltip={(index) => (
          <>
            <strong>{format.moment(from + index * step)}</strong>
            <dl>
              {(["max", "p95", "median", "min"] as const).map((lane) => {
                const value = quantileLane(answer, { max: 1, p95: 0.95, median: 0.5, min: 0 }[lane])[index];
                return [
                  <Swatch key={`${lane} colour`} colour={lane === "median" ? lossColour(loss[index] ?? 0) : band} />,
                  <dt key={`${lane} name`}>{t(`probe.lane.${lane}`)}</dt>,
                  <dd key={`${lane} value`}>{value == null ? "–" : format.duration(value)}</dd>,
                ];
              })}
              <Swatch colour={lossColour(loss[index] ?? 0)} />
              <dt>{t("probe.lane.loss")}</dt>
              <dd>{loss[index] == null ? "–" : format.percent(loss[index], 1)}</dd>
            </dl>
          </>
        )}
      />
      {cut !== undefined && <p className={styles.note}>{t("probe.cutOff", { value: format.duration(cut) })}</p>}
    </>
  );
}

/** The widest band first; the median over everything. */
function layersOf(answer: Heatmap, median: Lane, loss: Lane, top: number): Layer[] {
  const layers = bands.map(
    ([low, high, opacity]): Layer => ({
      key: `${low}`,
      colour: band,
      values: capped(quantileLane(answer, high), top),
      lower: capped(quantileLane(answer, low), top).map((value) => value ?? 0),
      opacity,
    }),
  );
  return [
    ...layers,
    {
      key: "median",
      colour: "var(--text-3)",
      values: capped(median, top),
      colours: median.map((_, i) => lossColour(loss[i] ?? 0)),
    },
  ];
}

function footOf(loss: Lane): FootMark[] {
  return loss.flatMap((value, index) =>
    value !== null && value > 0 ? [{ index, share: Math.min(1, value), colour: lossColour(value) }] : [],
  );
}

/** Which colour says how much loss, and what the bands are. */
function Legend({ runs }: { runs: boolean }) {
  const t = useT();
  const format = useFormat();
  const percent = (share: number) => `${format.plain(share * 100)} %`;
  const text = (from: number, i: number) => {
    if (from === 0) return t("probe.noLoss");
    if (from >= 1) return percent(1);
    const to = percent(lossLevels[i + 1]?.from ?? 1);
    return i === 1 ? t("probe.lossUpTo", { to }) : t("probe.lossBetween", { from: percent(from), to });
  };
  return (
    <ul className={styles.legend} aria-label={t("chart.legend")}>
      <li>{t(runs ? "probe.failedRuns" : "probes.loss")}</li>
      {lossLevels.map(({ from, colour }, i) => (
        <li key={colour}>
          <Swatch colour={colour} /> {text(from, i)}
        </li>
      ))}
      <li>
        <i className={styles.bandHalf} aria-hidden="true" /> {t("probe.bandHalf")}
      </li>
      <li>
        <i className={styles.bandRange} aria-hidden="true" /> {t("probe.bandRange")}
      </li>
    </ul>
  );
}
