/** How long every probe was up in a period, beside what it should be: one line a probe, and the same as a file. */
import { useQuery } from "@tanstack/react-query";
import { Link, useNavigate, useSearch } from "@tanstack/react-router";
import { kindsQuery, uptimesQuery } from "~/api/probes";
import type { Uptime } from "~/api/schema";
import type { AppSearch } from "~/app/search";
import { useLocale, useT } from "~/i18n";
import { paths, uptimeFile } from "~/lib/paths";
import { useFormat } from "~/prefs/use-format";
import { serverNow } from "~/time/clock";
import { Button, buttonClass, Mark, Select } from "~/ui/controls";
import type { Column } from "~/ui/data-table";
import { Empty } from "~/ui/feedback";
import { Icon } from "~/ui/icons";
import { List } from "~/ui/list";
import { Page } from "~/ui/page";
import { SearchField, usePaging } from "~/ui/pages";
import { ProbesTabs } from "./probes-tabs";
import styles from "./uptime.module.css";
import { UptimeBars, UptimeLegend } from "./uptime-bars";
import { availabilityText, budgetState, neighbour, periods } from "./uptime-state";
import { useQuestion } from "./use-uptime";

const refresh = 60_000;

export function UptimePage() {
  const t = useT();
  const search = useSearch({ strict: false }) as AppSearch;
  const navigate = useNavigate();
  const { q, kind, only } = search;
  const time = useQuestion();
  const chosen = {
    ...time,
    ...(q && { search: q }),
    ...(kind && { kind }),
    ...(only === "objective" && { objective: true }),
  };
  const paging = usePaging(JSON.stringify(chosen));
  const query = useQuery({
    ...uptimesQuery({ ...chosen, ...(paging.cursor && { cursor: paging.cursor }) }),
    refetchInterval: refresh,
  });
  return (
    <Page
      title={t("page.uptime")}
      actions={
        <>
          <ProbesTabs />
          <SearchField label={t("probes.search")} />
          <a className={buttonClass()} href={uptimeFile(chosen)} download="uptime.csv">
            <Icon name="download" size={14} />
            {t("uptime.file")}
          </a>
        </>
      }
    >
      <Filters first={query.data?.items[0]} />
      <List
        query={query}
        paging={paging}
        label={t("page.uptime")}
        name="uptime"
        columns={useUptimeColumns()}
        rowKey={(row) => row.probe}
        onOpen={(row) => void navigate(paths.probe(row.probe, search))}
        empty={
          <Empty title={t(q || kind || only ? "list.noMatch" : "probes.none")}>
            <p>{t("uptime.noneText")}</p>
          </Empty>
        }
      />
      <UptimeLegend />
    </Page>
  );
}

/** Which period, and which probes. */
function Filters({ first }: { first: Uptime | undefined }) {
  const t = useT();
  const search = useSearch({ strict: false }) as AppSearch;
  const navigate = useNavigate();
  const { data: kinds = [] } = useQuery(kindsQuery);
  const set = (change: AppSearch) =>
    void navigate({ to: ".", search: (now: AppSearch) => ({ ...now, ...change }), replace: true });
  return (
    <div className={styles.filters}>
      <PeriodChoice told={first} />
      <Select
        label={t("probes.kind")}
        value={search.kind ?? ""}
        options={[
          { value: "", label: t("probes.allKinds") },
          ...kinds.map(({ kind }) => ({ value: kind, label: kind })),
        ]}
        onChange={(kind) => set({ kind: kind || undefined })}
      />
      <Button
        pressed={search.only === "objective"}
        onClick={() => set({ only: search.only === "objective" ? undefined : "objective" })}
      >
        {t("uptime.withObjective")}
      </Button>
    </div>
  );
}

/** The period, the one before it and the one after it, and from when to when it is told. */
export function PeriodChoice({
  told,
}: {
  told: Pick<Uptime, "from" | "to" | "until" | "zone" | "minutes_from"> | undefined;
}) {
  const t = useT();
  const format = useFormat();
  const now = serverNow();
  const search = useSearch({ strict: false }) as AppSearch;
  const navigate = useNavigate();
  const set = (change: AppSearch) =>
    void navigate({ to: ".", search: (before: AppSearch) => ({ ...before, ...change }), replace: true });
  const [before, after] = told === undefined ? [] : [neighbour(told, -1, now), neighbour(told, 1, now)];
  const coarse = told !== undefined && (told.minutes_from == null || told.minutes_from > told.from);
  return (
    <>
      <Select
        label={t("uptime.period")}
        value={search.period ?? "30d"}
        options={periods.map((value) => ({ value, label: t(`uptime.period.${value}`) }))}
        onChange={(period) => set({ period: period === "30d" ? undefined : period, at: undefined })}
      />
      <Button
        icon="left"
        aria-label={t("uptime.before")}
        title={t("uptime.before")}
        onClick={() => set({ at: before })}
      />
      <Button
        icon="right"
        aria-label={t("uptime.after")}
        title={t("uptime.after")}
        disabled={after === undefined && search.at === undefined}
        onClick={() => set({ at: after })}
      />
      {told !== undefined && (
        <span className={styles.when} data-read="period">
          {format.dateTime(Date.parse(told.from))} – {format.dateTime(Date.parse(told.to))} · {told.zone} ·{" "}
          {t(coarse ? "uptime.byHour" : "uptime.byMinute")}
        </span>
      )}
    </>
  );
}

function useUptimeColumns(): readonly Column<Uptime>[] {
  const t = useT();
  const format = useFormat();
  const locale = useLocale();
  const search = useSearch({ strict: false }) as AppSearch;
  const time = (seconds: number) => (seconds === 0 ? "–" : format.duration(seconds));
  return [
    {
      id: "name",
      header: t("list.name"),
      width: 170,
      cell: (row) => (
        <Link {...paths.probe(row.probe, search)} tabIndex={-1} title={row.target} onClick={(e) => e.stopPropagation()}>
          {row.name}
        </Link>
      ),
    },
    { id: "kind", header: t("probes.kind"), width: 76, mono: true, priority: 3, cell: (row) => row.kind },
    {
      id: "parts",
      header: t("uptime.course"),
      width: 240,
      priority: 2,
      cell: (row) => (
        <UptimeBars
          parts={row.parts}
          label={t("uptime.courseOf", { name: row.name, share: availabilityText(row.total.availability, locale) })}
        />
      ),
    },
    {
      id: "availability",
      header: t("uptime.availability"),
      width: 118,
      right: true,
      cell: (row) => availabilityText(row.total.availability, locale),
    },
    {
      id: "objective",
      header: t("uptime.objective"),
      width: 112,
      right: true,
      priority: 2,
      cell: (row) => <Objective uptime={row} />,
    },
    { id: "budget", header: t("uptime.budgetLeft"), width: 160, priority: 2, cell: (row) => <Budget uptime={row} /> },
    { id: "down", header: t("uptime.down"), width: 104, right: true, cell: (row) => time(row.total.down) },
    {
      id: "outages",
      header: t("uptime.outages"),
      width: 96,
      right: true,
      priority: 3,
      cell: (row) => format.count(row.total.outages),
    },
    {
      id: "maintenance",
      header: t("uptime.maintenance"),
      width: 128,
      right: true,
      priority: 3,
      cell: (row) => time(row.total.maintenance),
    },
    {
      id: "unknown",
      header: t("uptime.unknown"),
      width: 124,
      right: true,
      priority: 3,
      cell: (row) => time(row.total.unknown),
    },
  ];
}

function Objective({ uptime: { budget } }: { uptime: Uptime }) {
  const locale = useLocale();
  if (budget == null) return "–";
  const text = availabilityText(budget.objective, locale)
    .replace(/0+ %$/, " %")
    .replace(/[.,] %$/, " %");
  if (budget.met == null) return text;
  return <Mark status={budget.met ? "ok" : "critical"}>{text}</Mark>;
}

/** What is left of the error budget: a time, and a bar of its share. */
export function Budget({ uptime: { budget } }: { uptime: Pick<Uptime, "budget"> }) {
  const t = useT();
  const format = useFormat();
  const state = budget == null ? undefined : budgetState(budget);
  if (budget == null || state === undefined) return "–";
  return (
    <span
      className={styles.budget}
      title={t("uptime.budgetOf", { allowed: format.duration(Math.round(budget.allowed)) })}
    >
      <span className={styles.meter} aria-hidden="true">
        <i data-standing={state.standing} style={{ width: `${state.share * 100}%` }} />
      </span>
      {budget.left < 0
        ? t("uptime.overspent", { time: format.duration(Math.round(-budget.left)) })
        : format.duration(Math.round(budget.left))}
    </span>
  );
}
