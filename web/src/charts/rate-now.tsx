/** The one number of a page of traffic. */
import { useT } from "~/i18n";
import { useFormat } from "~/prefs/use-format";
import styles from "./rates-chart.module.css";
import { type ChartSource, useSourceVersion } from "./source";

/** In and out added, in the newest full second. */
export function RateNow({ source }: { source: ChartSource }) {
  const t = useT();
  const format = useFormat();
  useSourceVersion(source);
  const { window } = source;
  const last = window.length - 1;
  const octets = [...window.series.values()].reduce((sum, one) => sum + (one.in[last] ?? 0) + (one.out[last] ?? 0), 0);
  if (last < 0) return <span>{t("chart.loading")}</span>;
  return (
    <span>
      <span className={styles.now}>{format.rate(octets / (window.step / 1000))}</span> {t("traffic.both")}
    </span>
  );
}
