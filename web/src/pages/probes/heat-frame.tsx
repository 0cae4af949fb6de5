/** What stands around a picture of delays: what it is made of, what is missing, and the table behind it. */
import type { ReactNode } from "react";
import { useT } from "~/i18n";
import { useFormat } from "~/prefs/use-format";
import { type Column, DataTable } from "~/ui/data-table";
import { Empty, ProblemBox, Skeleton } from "~/ui/feedback";
import { isEmpty, lossLane, quantileLane } from "./heat";
import styles from "./probes.module.css";
import type { Heat } from "./use-heat";

type HeatFrameProps = { label: string; heat: Heat; height: number; note: string; table: boolean; children: ReactNode };

export function HeatFrame({ label, heat, height, note, table, children }: HeatFrameProps) {
  const t = useT();
  const format = useFormat();
  const answer = heat.heat;
  if (answer === undefined) {
    if (heat.error == null) return <Skeleton height={height} />;
    return <ProblemBox error={heat.error} subject={label} onRetry={heat.retry} />;
  }
  if (isEmpty(answer)) {
    return (
      <Empty title={t("chart.empty")}>
        <p>{t("probe.emptyText")}</p>
      </Empty>
    );
  }
  return (
    <figure
      className={`${styles.picture} ${heat.dimmed ? styles.dimmed : ""}`}
      aria-label={label}
      aria-busy={heat.dimmed}
    >
      <p className={styles.note}>
        <span className={styles.tier} data-read="source">
          {t(`probe.heatSource.${answer.source}`)}
        </span>
        <span>{t("history.steps", { step: format.duration(answer.step) })}</span>
        <span>{note}</span>
      </p>
      {table ? <HeatTable label={label} heat={heat} /> : children}
    </figure>
  );
}

/** Quantiles that the table has. */
const shares = [0, 0.5, 0.95, 0.99, 1] as const;
const names = { 0: "min", 0.5: "median", 0.95: "p95", 0.99: "p99", 1: "max" } as const;

/** The numbers of the steps that have any, the newest first. */
function HeatTable({ label, heat: { heat, from, step, count } }: { label: string; heat: Heat }) {
  const t = useT();
  const format = useFormat();
  if (heat === undefined) return null;
  const loss = lossLane(heat);
  const rows = Array.from({ length: count }, (_, i) => count - 1 - i).filter((i) => (heat.steps[i]?.runs ?? 0) > 0);
  const columns: Column<number>[] = [
    { id: "time", header: t("probe.time"), width: 170, cell: (i) => format.dateTime(from + i * step) },
    {
      id: "loss",
      header: t("probe.lane.loss"),
      width: 90,
      right: true,
      cell: (i) => (loss[i] == null ? "–" : format.percent(loss[i], 1)),
    },
    ...shares.map((share): Column<number> => {
      const lane = quantileLane(heat, share);
      return {
        id: names[share],
        header: t(`probe.lane.${names[share]}`),
        width: 90,
        right: true,
        cell: (i) => (lane[i] == null ? "–" : format.duration(lane[i])),
      };
    }),
    {
      id: "runs",
      header: t("probe.runsOf"),
      width: 70,
      right: true,
      cell: (i) => format.count(heat.steps[i]?.runs ?? 0),
    },
  ];
  return <DataTable label={label} name="probe-steps" columns={columns} rows={rows} rowKey={String} />;
}
