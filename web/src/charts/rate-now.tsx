/** The one number of a page of traffic: in and out added, in the newest full second, or on average when the range stands still. */
import { useT } from "~/i18n";
import type { RatesWindow } from "~/lib/rates";
import { useFormat } from "~/prefs/use-format";
import { useTime } from "~/time/time";
import styles from "./rates-chart.module.css";
import { type ChartSource, useSourceVersion } from "./source";

export function RateNow({ source }: { source: ChartSource }) {
  const t = useT();
  const format = useFormat();
  const { mode } = useTime();
  useSourceVersion(source);
  const { window } = source;
  if (!window.hasData) return <span>{t(source.stale ? "chart.loading" : "chart.empty")}</span>;
  const live = mode === "live";
  return (
    <span>
      <span className={styles.now}>{format.rate(live ? newest(window) : mean(window))}</span>{" "}
      {t(live ? "traffic.newest" : "traffic.mean")}
    </span>
  );
}

/** Octets a second of both directions in the last step. */
function newest(window: RatesWindow): number {
  const last = window.length - 1;
  return sum(window, (lane) => lane[last] ?? 0) / (window.step / 1000);
}

/** Octets a second of both directions over all steps that have data. */
function mean(window: RatesWindow): number {
  const first = [...window.series.values()][0];
  const known = first?.in.filter((value) => value !== null).length ?? 0;
  const octets = sum(window, (lane) => lane.reduce<number>((total, value) => total + (value ?? 0), 0));
  return known === 0 ? 0 : octets / (known * (window.step / 1000));
}

function sum(window: RatesWindow, of: (lane: readonly (number | null)[]) => number): number {
  return [...window.series.values()].reduce((total, series) => total + of(series.in) + of(series.out), 0);
}
