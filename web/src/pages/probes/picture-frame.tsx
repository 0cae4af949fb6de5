/** What stands around each picture of a probe: how it was made, what is missing, and the table behind it. */
import type { ReactNode } from "react";
import { useT } from "~/i18n";
import { useFormat } from "~/prefs/use-format";
import { type Column, DataTable } from "~/ui/data-table";
import { Empty, ProblemBox, Skeleton } from "~/ui/feedback";
import styles from "./probes.module.css";
import type { Lanes } from "./use-lanes";

type PictureFrameProps = {
  label: string;
  lanes: Lanes;
  height: number;
  /** What a step of several runs shows. */
  note: string;
  children: ReactNode;
};

export function PictureFrame({ label, lanes, height, note, children }: PictureFrameProps) {
  const t = useT();
  const format = useFormat();
  const { chart, error, retry, dimmed } = lanes;
  if (chart === undefined) {
    if (error == null) return <Skeleton height={height} />;
    return <ProblemBox error={error} subject={label} onRetry={retry} />;
  }
  if (lanes.lanes.every((lane) => lane.every((value) => value === null))) {
    return (
      <Empty title={t("chart.empty")}>
        <p>{t("probe.emptyText")}</p>
      </Empty>
    );
  }
  return (
    <figure className={`${styles.picture} ${dimmed ? styles.dimmed : ""}`} aria-label={label} aria-busy={dimmed}>
      <p className={styles.note}>
        <span className={styles.tier} data-read="resolution">
          {t(`resolution.${chart.resolution}`)}
        </span>
        <span>{t("history.steps", { step: format.duration(chart.step) })}</span>
        <span>{note}</span>
        {chart.partial_last && <span>{t("history.partialLast")}</span>}
      </p>
      {children}
    </figure>
  );
}

type StepTableProps = {
  label: string;
  lanes: Lanes;
  columns: readonly { id: string; header: string; cell: (index: number) => string }[];
};

/** The numbers of the steps that have any, the newest first. */
export function StepTable({ label, lanes, columns }: StepTableProps) {
  const t = useT();
  const format = useFormat();
  const { from, step, count } = lanes;
  const rows = Array.from({ length: count }, (_, i) => count - 1 - i).filter((i) =>
    lanes.lanes.some((lane) => lane[i] != null),
  );
  const all: Column<number>[] = [
    { id: "time", header: t("probe.time"), width: 170, cell: (i) => format.dateTime(from + i * step) },
    ...columns.map(
      ({ id, header, cell }): Column<number> => ({ id, header, width: 100, right: true, cell: (i) => cell(i) }),
    ),
  ];
  return <DataTable label={label} name="probe-steps" columns={all} rows={rows} rowKey={String} />;
}
