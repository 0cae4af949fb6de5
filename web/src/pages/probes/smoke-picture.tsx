/** The smoke chart of a probe: its delays as a band, its median in the colour of the loss. */
import { niceCeiling } from "~/charts/stack";
import { gapsOf } from "~/charts/steps";
import { type FootMark, type Layer, type Note, TimePlot, useCursor } from "~/charts/time-plot";
import { useT } from "~/i18n";
import { useFormat } from "~/prefs/use-format";
import { Swatch } from "./detail/parts";
import { PictureFrame, StepTable } from "./picture-frame";
import styles from "./probes.module.css";
import {
  capped,
  delayTop,
  inverted,
  type Lane,
  lossColour,
  lossLevels,
  type SmokeLane,
  type SmokeMetrics,
} from "./smoke";
import { type Asked, type Lanes, type Source, useLanes } from "./use-lanes";

type SmokePictureProps = {
  label: string;
  source: Source;
  metrics: SmokeMetrics;
  notes: readonly Note[];
  table: boolean;
};

const height = 300;
const order = ["max", "p95", "median", "min", "loss"] as const satisfies readonly SmokeLane[];

export function SmokePicture({ label, source, metrics, notes, table }: SmokePictureProps) {
  const t = useT();
  const known = order.flatMap((lane) => {
    const asked = metrics[lane];
    return asked === undefined ? [] : [{ lane, ...asked }];
  });
  const lanes = useLanes(source, known satisfies readonly Asked[]);
  const values = (wanted: SmokeLane): Lane => {
    const lane = lanes.lanes[known.findIndex(({ lane }) => lane === wanted)] ?? [];
    return metrics[wanted]?.inverted === true ? inverted(lane) : lane;
  };
  const of = Object.fromEntries(order.map((lane) => [lane, values(lane)])) as Record<SmokeLane, Lane>;
  return (
    <PictureFrame
      label={label}
      lanes={lanes}
      height={height}
      note={t(metrics.min === undefined ? "probe.smokeNotePlain" : "probe.smokeNote")}
    >
      {table ? (
        <SmokeTable label={label} lanes={lanes} of={of} metrics={metrics} />
      ) : (
        <Smoke label={label} lanes={lanes} of={of} notes={notes} />
      )}
      <Legend banded={metrics.min !== undefined} runs={metrics.loss.inverted === true} />
    </PictureFrame>
  );
}

type Values = Record<SmokeLane, Lane>;

type SmokeProps = { label: string; lanes: Lanes; of: Values; notes: readonly Note[] };

function Smoke({ label, lanes, of, notes }: SmokeProps) {
  const t = useT();
  const format = useFormat();
  const [cursor, onCursor] = useCursor();
  const { from, step, count } = lanes;
  const { top, cut } = delayTop(of.p95.length > 0 ? of.p95 : of.median, of.max);
  const measured = Array.from({ length: count }, (_, i) => ((of.median[i] ?? of.loss[i]) == null ? null : 0));
  return (
    <>
      <TimePlot
        label={label}
        from={from}
        step={step}
        count={count}
        layers={layersOf(of, top)}
        foot={footOf(of.loss)}
        extent={[0, niceCeiling(top * 1.05) || 0.001]}
        gaps={gapsOf(measured)}
        notes={notes}
        height={height}
        figures={format.duration}
        cursor={cursor}
        onCursor={onCursor}
        tooltip={(index) => (
          <>
            <strong>{format.moment(from + index * step)}</strong>
            <dl>
              {order
                .filter((lane) => of[lane].length > 0)
                .map((lane) => {
                  const value = of[lane][index];
                  const colour = lane === "loss" ? lossColour(value ?? 0) : band;
                  return [
                    <Swatch key={`${lane} colour`} colour={colour} />,
                    <dt key={`${lane} name`}>{t(`probe.lane.${lane}`)}</dt>,
                    <dd key={`${lane} value`}>
                      {value == null ? "–" : lane === "loss" ? format.percent(value, 1) : format.duration(value)}
                    </dd>,
                  ];
                })}
            </dl>
          </>
        )}
      />
      {cut !== undefined && <p className={styles.note}>{t("probe.cutOff", { value: format.duration(cut) })}</p>}
    </>
  );
}

const band = "var(--series-other)";

/** The widest band first; the median over everything. */
function layersOf(of: Values, top: number): Layer[] {
  const layers: Layer[] = [];
  const area = (key: string, upper: Lane, lower: Lane, opacity: number) => {
    if (upper.length === 0 || lower.length === 0) return;
    layers.push({ key, colour: band, values: capped(upper, top), lower: lower.map((value) => value ?? 0), opacity });
  };
  area("range", of.max, of.min, 0.22);
  area("p95", of.p95, of.median, 0.42);
  layers.push({
    key: "median",
    colour: "var(--text-3)",
    values: of.median,
    colours: of.median.map((_, i) => lossColour(of.loss[i] ?? 0)),
  });
  return layers;
}

function footOf(loss: Lane): FootMark[] {
  return loss.flatMap((value, index) =>
    value !== null && value > 0 ? [{ index, share: Math.min(1, value), colour: lossColour(value) }] : [],
  );
}

function SmokeTable({ label, lanes, of, metrics }: { label: string; lanes: Lanes; of: Values; metrics: SmokeMetrics }) {
  const t = useT();
  const format = useFormat();
  const shown = (["loss", "min", "median", "p95", "max"] as const).filter((lane) => metrics[lane] !== undefined);
  return (
    <StepTable
      label={label}
      lanes={lanes}
      columns={shown.map((lane) => ({
        id: lane,
        header: t(`probe.lane.${lane}`),
        cell: (i) => {
          const value = of[lane][i];
          if (value == null) return "–";
          return lane === "loss" ? format.percent(value, 1) : format.duration(value);
        },
      }))}
    />
  );
}

/** Which colour says how much loss; the bands, when there are any. */
function Legend({ banded, runs }: { banded: boolean; runs: boolean }) {
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
      {banded && (
        <>
          <li>
            <i className={styles.bandP95} aria-hidden="true" /> {t("probe.bandP95")}
          </li>
          <li>
            <i className={styles.bandRange} aria-hidden="true" /> {t("probe.bandRange")}
          </li>
        </>
      )}
    </ul>
  );
}
