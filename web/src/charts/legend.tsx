/** The series of a chart with their colours; the figures are written by the chart, without React. */
import type { ReactNode } from "react";
import { useT } from "~/i18n";
import { cssVariable } from "~/lib/color";
import type { Layout } from "~/lib/rates";
import styles from "./rates-chart.module.css";

export type LegendEntry = { key: string; label: string; other: boolean; place: number };

type LegendProps = { entries: readonly LegendEntry[]; renderLabel: ((entry: LegendEntry) => ReactNode) | undefined };

export function Legend({ entries, renderLabel }: LegendProps) {
  const t = useT();
  if (entries.length === 0) return <div className={styles.legend} style={{ minHeight: 30 }} />;
  return (
    <ul className={styles.legend} aria-label={t("chart.legend")}>
      {entries.map((entry) => (
        <li key={`${entry.other}${entry.key}`} className={styles.entry}>
          <span className={styles.swatch} style={{ background: cssVariable(entry.place) }} />
          {entry.other ? <span>{t("talkers.other")}</span> : (renderLabel?.(entry) ?? <span>{entry.label}</span>)}
          <span className={styles.figure}>
            <small>{t("chart.inShort")}</small> <span data-figure="in">–</span>
          </span>
          <span className={styles.figure}>
            <small>{t("chart.outShort")}</small> <span data-figure="out">–</span>
          </span>
        </li>
      ))}
    </ul>
  );
}

export function writeFigures(
  host: HTMLElement,
  layout: Layout,
  index: number | undefined,
  text: (v: number | null) => string,
): void {
  for (const lane of ["in", "out"] as const) {
    host.querySelectorAll(`[data-figure="${lane}"]`).forEach((place, i) => {
      const next = text(valueAt(layout.series[i]?.[lane] ?? [], index));
      if (place.textContent !== next) place.textContent = next;
    });
  }
}

/** The value of a bucket; the mean of those that have one when no bucket is meant. */
export function valueAt(lane: readonly (number | null)[], index: number | undefined): number | null {
  if (index !== undefined) return lane[index] ?? null;
  const known = lane.filter((value) => value !== null);
  return known.length === 0 ? null : known.reduce((sum, value) => sum + value, 0) / known.length;
}
