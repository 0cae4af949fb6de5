/** The numbers behind a chart: for each series least, mean, 95th percentile, most and total, in and out apart. */
import type { Dimension } from "~/api/schema";
import { useT } from "~/i18n";
import { cssVariable, placesOf } from "~/lib/color";
import type { WindowSeries } from "~/lib/rates";
import { type Statistics, statisticsOf } from "~/lib/series-statistics";
import { useFormat } from "~/prefs/use-format";
import { type Column, DataTable } from "~/ui/data-table";
import { Hint } from "~/ui/page";
import type { Measure } from "./rates-chart";
import chart from "./rates-chart.module.css";
import { type RatesSource, useSourceVersion } from "./source";

type Row = { series: WindowSeries; place: number; in: Statistics; out: Statistics };
type RatesTableProps = { source: RatesSource; by: Dimension; measure: Measure; limit: number };

export function RatesTable({ source, by, measure, limit }: RatesTableProps) {
  const t = useT();
  const format = useFormat();
  useSourceVersion(source);
  const { window } = source;
  const ranked = window.ranked(limit);
  const places = placesOf(ranked.map((series) => (series.other ? "" : series.key)));
  const seconds = window.step / 1000;
  const rows = ranked.map((series, i): Row => {
    const [lanesIn, lanesOut] = measure === "octets" ? [series.in, series.out] : [series.packetsIn, series.packetsOut];
    return { series, place: places[i] ?? 0, in: statisticsOf(lanesIn, seconds), out: statisticsOf(lanesOut, seconds) };
  });
  const rate = (value: number) => (measure === "octets" ? format.rateFigures(value) : format.quantity(value));
  const unit = measure === "octets" ? format.rateUnit : t("unit.packetsPerSecond");
  const figure = (id: string, header: string, of: (row: Row) => number, priority: 1 | 2 | 3 = 3): Column<Row> => ({
    id,
    header,
    unit,
    width: 128,
    right: true,
    priority,
    cell: (row) => rate(of(row)),
  });
  const columns: Column<Row>[] = [
    {
      id: "label",
      header: t(`dimension.${by}`),
      cell: ({ series, place }) => (
        <>
          <span
            className={chart.swatch}
            style={{ background: cssVariable(place), display: "inline-block", marginRight: 8 }}
          />
          <span className="mono">{series.other ? t("talkers.other") : series.label}</span>
        </>
      ),
    },
    ...(["in", "out"] as const).flatMap((lane) => [
      figure(`${lane}-mean`, t(`rates.${lane}Mean`), (row) => row[lane].mean, 1),
      figure(`${lane}-p95`, t(`rates.${lane}P95`), (row) => row[lane].p95, 2),
      figure(`${lane}-max`, t(`rates.${lane}Max`), (row) => row[lane].max, 2),
    ]),
    {
      id: "total",
      header: t("column.total"),
      unit: measure === "octets" ? "B" : t("unit.packets"),
      width: 100,
      right: true,
      cell: (row) => format.quantity(row.in.total + row.out.total),
    },
  ];
  return (
    <>
      <DataTable
        label={t("rates.table")}
        name="rates"
        columns={columns}
        rows={rows}
        rowKey={(row) => row.series.key || "other"}
      />
      <p>
        <Hint>{t("rates.tableNote", { step: format.duration(seconds) })}</Hint>
      </p>
    </>
  );
}
