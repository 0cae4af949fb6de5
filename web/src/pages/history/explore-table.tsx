/** The numbers behind the picture: for each group least, mean, 95th percentile, most and total; then "other", then everything. */
import type { Exploration, HistoryDimension, HistoryGroup, HistoryValue } from "~/api/schema";
import { useT } from "~/i18n";
import { useFormat } from "~/prefs/use-format";
import { type Column, DataTable } from "~/ui/data-table";
import { Value } from "~/ui/value";
import styles from "./history.module.css";
import type { Lanes } from "./lanes";
import { unitOf } from "./unit";

type Row = { key: string; colour: string | undefined; name: string | undefined; group: HistoryGroup };
type TableProps = { answer: Exploration; lanes: Lanes; dimmed: boolean };

export function ExploreTable({ answer, lanes, dimmed }: TableProps) {
  const t = useT();
  const columns = useColumns(answer);
  const rows = lanes.lanes.map((lane): Row => {
    const name = lane.other ? t("talkers.other") : undefined;
    return { key: lane.key, colour: lane.colour, name, group: lane.group };
  });
  const total: Row = { key: "total", colour: undefined, name: t("talkers.total"), group: answer.total };
  return (
    <DataTable
      label={t("history.table")}
      name={`history-${answer.by.length}`}
      columns={columns}
      rows={rows.filter(({ key }) => key !== "other")}
      rowKey={({ key }) => key}
      summary={[...rows.filter(({ key }) => key === "other"), total].map((row) => ({ key: row.key, row }))}
      dimmed={dimmed}
    />
  );
}

function useColumns(answer: Exploration): readonly Column<Row>[] {
  const t = useT();
  const format = useFormat();
  const unit = unitOf(answer.measure, format, t);
  // With many dimensions the names need the room; what is left out can be chosen.
  const crowded = answer.by.length > 1;
  const figure = (id: "min" | "avg" | "p95" | "max", priority: 1 | 2 | 3): Column<Row> => ({
    id,
    header: t(`history.column.${id}`),
    unit: unit.perSecond,
    width: 104,
    right: true,
    priority,
    optional: crowded && id === "min",
    cell: ({ group }) => (group.summary == null ? "–" : unit.figures(group.summary[id])),
  });
  const compared = answer.total.previous != null;
  return [
    ...answer.by.map(
      (dimension, index): Column<Row> => ({
        id: dimension,
        header: t(`history.dimension.${dimension}`),
        ...(index > 1 && { priority: 2 as const }),
        cell: (row) => <Name row={row} index={index} dimension={dimension} />,
      }),
    ),
    figure("min", 3),
    figure("avg", 2),
    figure("p95", 2),
    figure("max", 2),
    {
      id: "total",
      header: t("column.total"),
      unit: unit.totalUnit,
      width: 92,
      right: true,
      cell: ({ group }) => <span data-total={group.total}>{unit.totalFigures(group.total)}</span>,
    },
    {
      id: "share",
      header: t("column.share"),
      width: 84,
      right: true,
      priority: 3,
      cell: ({ group }) => format.percent(group.total, answer.total.total),
    },
    ...(compared ? [previousColumn(t("history.previous"), unit.totalUnit, unit.totalFigures, format.percent)] : []),
    ...(["in", "out"] as const).map(
      (way): Column<Row> => ({
        id: way,
        header: t(`column.${way}`),
        unit: "B",
        width: 84,
        right: true,
        priority: 3,
        cell: ({ group }) => format.quantity(group[`octets_${way}`]),
      }),
    ),
  ];
}

/** The total of the period before, and by how much this one is more or less. */
function previousColumn(
  header: string,
  unit: string,
  figures: (sum: number) => string,
  percent: (part: number, whole: number) => string,
): Column<Row> {
  return {
    id: "previous",
    header,
    unit,
    width: 124,
    right: true,
    priority: 2,
    cell: ({ group: { total, previous } }) => {
      if (previous == null) return "–";
      if (previous === 0) return figures(previous);
      const sign = total >= previous ? "+" : "−";
      return `${figures(previous)} (${sign}${percent(Math.abs(total - previous), previous)})`;
    },
  };
}

type NameProps = { row: Row; index: number; dimension: HistoryDimension };

function Name({ row: { colour, name, group }, index, dimension }: NameProps) {
  const value: HistoryValue | undefined = group.key[index];
  if (value === undefined && index > 0) return null;
  const isHost = dimension === "host" || dimension === "source" || dimension === "destination";
  return (
    <span className={styles.name}>
      {index === 0 && colour !== undefined && <i className={styles.swatch} style={{ background: colour }} />}
      {value === undefined ? (
        name
      ) : (
        <Value text={value.label} term={value.filter ?? undefined} host={isHost ? value.label : undefined} />
      )}
    </span>
  );
}
