/** Series: any metric over time, found by name and labels, joined step by step as one chooses. */
import { useQuery } from "@tanstack/react-query";
import { useNavigate, useSearch } from "@tanstack/react-router";
import { useMemo } from "react";
import { chartQuery, seriesQuery } from "~/api/history";
import type { SeriesAggregate, SeriesChart } from "~/api/schema";
import { type AppSearch, aggregates } from "~/app/search";
import { niceCeiling } from "~/charts/stack";
import { gapsOf } from "~/charts/steps";
import { TimePlot, useCursor } from "~/charts/time-plot";
import plotStyles from "~/charts/time-plot.module.css";
import { useT } from "~/i18n";
import { useFormat } from "~/prefs/use-format";
import { useTime } from "~/time/time";
import { Select } from "~/ui/controls";
import { type Column, DataTable } from "~/ui/data-table";
import { Empty, ProblemBox, Skeleton } from "~/ui/feedback";
import { Page } from "~/ui/page";
import styles from "./history.module.css";
import { HistoryTabs } from "./history-tabs";
import { coloursOf } from "./lanes";
import { stepFor } from "./question";
import { LabelsField, MetricField } from "./series-fields";
import { nameOf, type SeriesRow, seriesRows } from "./series-rows";
import { useLongRange } from "./use-long-range";

const refresh = 30_000;
const mostSeries = 20;

export function SeriesPage() {
  const t = useT();
  const search = useSearch({ strict: false }) as AppSearch;
  const navigate = useNavigate();
  const time = useTime();
  useLongRange();
  const { metric, labels, aggregate } = search;
  const { data, error, isPlaceholderData, refetch } = useQuery({
    ...chartQuery({
      ...time.query,
      ...(metric && { metric }),
      ...(labels && { labels }),
      ...(aggregate && { aggregate }),
      step: stepFor(time.seconds),
      limit: mostSeries,
    }),
    enabled: metric !== undefined,
    refetchInterval: time.mode === "live" ? refresh : false,
  });
  const set = (change: AppSearch) =>
    void navigate({ to: ".", search: (now: AppSearch) => ({ ...now, ...change }), replace: true });
  return (
    <Page title={t("page.series")} actions={<HistoryTabs page="series" />}>
      <search className={styles.fields} aria-label={t("page.series")}>
        <MetricField value={metric ?? ""} onChange={(next) => set({ metric: next || undefined })} />
        <LabelsField metric={metric} value={labels ?? ""} onChange={(next) => set({ labels: next || undefined })} />
        <Select
          label={t("series.aggregate")}
          value={(aggregate ?? "") as SeriesAggregate | ""}
          options={[
            { value: "", label: t("series.auto") },
            ...aggregates.map((value) => ({ value, label: t(`series.aggregate.${value}`) })),
          ]}
          onChange={(value) => set({ aggregate: value === "" ? undefined : value })}
        />
      </search>
      {metric === undefined ? (
        <Metrics onChoose={(next) => set({ metric: next })} />
      ) : error !== null ? (
        <ProblemBox error={error} subject={metric} onRetry={() => void refetch()} />
      ) : data === undefined ? (
        <Skeleton height={420} />
      ) : (
        <Chart chart={data} metric={metric} dimmed={isPlaceholderData} />
      )}
    </Page>
  );
}

/** What there is, when nothing is chosen yet. */
function Metrics({ onChoose }: { onChoose: (metric: string) => void }) {
  const t = useT();
  const { data, error } = useQuery(seriesQuery({ limit: 100 }));
  if (error !== null) return <ProblemBox error={error} subject={t("page.series")} />;
  if (data === undefined) return <Skeleton height={300} />;
  if (data.items.length === 0) {
    return (
      <Empty title={t("series.none")}>
        <p>{t("series.noneText")}</p>
      </Empty>
    );
  }
  const columns: Column<(typeof data.items)[number]>[] = [
    { id: "metric", header: t("series.metric"), mono: true, cell: (row) => row.metric },
    { id: "labels", header: t("series.labels"), mono: true, cell: (row) => nameOf(row) },
  ];
  return (
    <DataTable
      label={t("series.known")}
      name="series-known"
      columns={columns}
      rows={data.items}
      rowKey={(row) => String(row.id)}
      onOpen={(row) => onChoose(row.metric)}
    />
  );
}

function Chart({ chart, metric, dimmed }: { chart: SeriesChart; metric: string; dimmed: boolean }) {
  const t = useT();
  const format = useFormat();
  const [cursor, onCursor] = useCursor();
  const rows = useMemo(() => seriesRows(chart), [chart]);
  const colours = useMemo(() => coloursOf(rows.map(({ name }) => name)), [rows]);
  const columns = useColumns(colours);
  const count = Math.max(0, ...chart.lines.map(({ points }) => points.length));
  const values = chart.lines.flatMap(({ points }) => points.filter((value) => value !== null));
  if (values.length === 0) {
    return (
      <Empty title={t("chart.empty")}>
        <p>{t(chart.lines.length === 0 ? "series.noMatch" : "series.noSamples")}</p>
      </Empty>
    );
  }
  const from = Date.parse(chart.from);
  const everywhere = Array.from({ length: count }, (_, i) =>
    chart.lines.some((one) => one.points[i] != null) ? 0 : null,
  );
  const [least, most] = [Math.min(0, ...values), Math.max(0, ...values)];
  return (
    <>
      <figure className={`${styles.chart} ${dimmed ? styles.dimmed : ""}`} aria-label={metric}>
        <p className={styles.note}>
          <span className={styles.tier} data-read="resolution">
            {t(`resolution.${chart.resolution}`)}
          </span>
          <span>{t("history.steps", { step: format.duration(chart.step) })}</span>
          <span data-read="aggregate">{t(`series.aggregate.${chart.aggregate}`)}</span>
          {chart.more && <span>{t("series.more", { n: mostSeries })}</span>}
          {chart.partial_last && <span>{t("history.partialLast")}</span>}
        </p>
        <TimePlot
          label={metric}
          from={from}
          step={chart.step * 1000}
          count={count}
          layers={chart.lines.map(({ series, points }, i) => ({
            key: String(series.id),
            colour: colours[i] ?? "var(--series-other)",
            values: points,
          }))}
          extent={[-niceCeiling(-least), niceCeiling(most) || (least < 0 ? 0 : 1)]}
          gaps={gapsOf(everywhere)}
          height={320}
          figures={(value) => format.quantity(value)}
          cursor={cursor}
          onCursor={onCursor}
          tooltip={(index) => (
            <>
              <strong>{format.moment(from + index * chart.step * 1000)}</strong>
              <dl>
                {rows
                  .slice(0, 12)
                  .map(({ id, name, points }, i) => [
                    <span key={`${id} colour`} className={plotStyles.swatch} style={{ background: colours[i] }} />,
                    <dt key={`${id} name`}>{name}</dt>,
                    <dd key={`${id} value`}>{points[index] == null ? "–" : format.quantity(points[index])}</dd>,
                  ])}
              </dl>
            </>
          )}
        />
      </figure>
      <DataTable
        label={t("series.table")}
        name="series"
        columns={columns}
        rows={rows}
        rowKey={({ id }) => String(id)}
        dimmed={dimmed}
      />
    </>
  );
}

function useColumns(colours: readonly string[]): readonly Column<SeriesRow>[] {
  const t = useT();
  const format = useFormat();
  const figure = (id: "min" | "mean" | "p95" | "max" | "last", header: string): Column<SeriesRow> => ({
    id,
    header,
    width: 100,
    right: true,
    priority: id === "mean" || id === "last" ? 1 : 2,
    cell: (row) => (row[id] === undefined ? "–" : format.quantity(row[id])),
  });
  return [
    {
      id: "name",
      header: t("series.labels"),
      cell: ({ name, place }) => (
        <span className={styles.name}>
          <i className={styles.swatch} style={{ background: colours[place] }} />
          <span className="mono" title={name}>
            {name}
          </span>
        </span>
      ),
    },
    figure("min", t("history.column.min")),
    figure("mean", t("history.column.avg")),
    figure("p95", t("history.column.p95")),
    figure("max", t("history.column.max")),
    figure("last", t("history.column.last")),
  ];
}
