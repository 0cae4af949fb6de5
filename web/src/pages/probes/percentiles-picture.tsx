/** Percentiles of the delays of a probe as lines. */
import { niceCeiling } from "~/charts/stack";
import { gapsOf } from "~/charts/steps";
import { type Note, TimePlot, useCursor } from "~/charts/time-plot";
import { useT } from "~/i18n";
import { useFormat } from "~/prefs/use-format";
import { Swatch } from "./detail/parts";
import { quantileLane } from "./heat";
import { HeatFrame } from "./heat-frame";
import styles from "./probes.module.css";
import { capped, delayTop } from "./smoke";
import { useHeat } from "./use-heat";
import type { Source } from "./use-lanes";

/** From the longest to the shortest, as the lines lie. */
const lines = [
  { share: 1, name: "max", colour: "var(--series-6)" },
  { share: 0.99, name: "p99", colour: "var(--series-1)" },
  { share: 0.95, name: "p95", colour: "var(--series-7)" },
  { share: 0.5, name: "median", colour: "var(--series-2)" },
  { share: 0, name: "min", colour: "var(--series-3)" },
] as const;

const height = 280;

type PercentilesPictureProps = { label: string; source: Source; table: boolean; notes: readonly Note[] };

export function PercentilesPicture({ label, source, table, notes }: PercentilesPictureProps) {
  const t = useT();
  const format = useFormat();
  const heat = useHeat(source);
  const [cursor, onCursor] = useCursor();
  const { heat: answer, from, step, count } = heat;
  const lanes = lines.map(({ share }) => (answer === undefined ? [] : quantileLane(answer, share)));
  const { top, cut } = delayTop(lanes[1] ?? [], lanes[0] ?? []);
  return (
    <HeatFrame label={label} heat={heat} height={height} note={t("probe.percentilesNote")} table={table}>
      <TimePlot
        label={label}
        from={from}
        step={step}
        count={count}
        layers={lines.map(({ name, colour }, i) => ({ key: name, colour, values: capped(lanes[i] ?? [], top) }))}
        extent={[0, niceCeiling(top * 1.05) || 0.001]}
        gaps={gapsOf((answer?.steps ?? []).map(({ runs }) => (runs > 0 ? 0 : null)))}
        height={height}
        figures={format.duration}
        cursor={cursor}
        onCursor={onCursor}
        notes={notes}
        tooltip={(index) => (
          <>
            <strong>{format.moment(from + index * step)}</strong>
            <dl>
              {lines.map(({ name, colour }, i) => {
                const value = lanes[i]?.[index];
                return [
                  <Swatch key={`${name} colour`} colour={colour} />,
                  <dt key={`${name} name`}>{t(`probe.lane.${name}`)}</dt>,
                  <dd key={`${name} value`}>{value == null ? "–" : format.duration(value)}</dd>,
                ];
              })}
            </dl>
          </>
        )}
      />
      {cut !== undefined && <p className={styles.note}>{t("probe.cutOff", { value: format.duration(cut) })}</p>}
      <ul className={styles.legend} aria-label={t("chart.legend")}>
        {lines.map(({ name, colour }) => (
          <li key={name}>
            <Swatch colour={colour} /> {t(`probe.lane.${name}`)}
          </li>
        ))}
      </ul>
    </HeatFrame>
  );
}
