/** The traces of a probe: its own or those that bad runs added; one is shown, or two are compared hop by hop. */
import { useQuery } from "@tanstack/react-query";
import { useNavigate, useSearch } from "@tanstack/react-router";
import { resultsQuery } from "~/api/probes";
import type { ProbeResult, Trace, TracePath } from "~/api/schema";
import type { AppSearch } from "~/app/search";
import { useT } from "~/i18n";
import { useLongRange } from "~/pages/history/use-long-range";
import { useFormat } from "~/prefs/use-format";
import { useTime } from "~/time/time";
import { Mark, Select, type Status, Tabs } from "~/ui/controls";
import { Empty, ProblemBox, Skeleton } from "~/ui/feedback";
import { Hint, Page, Section } from "~/ui/page";
import { useAgentName } from "../agents/use-agent-name";
import { MiniTable } from "./detail/parts";
import { HopHost, HopTable, TraceFacts } from "./detail/trace";
import { PathDrawing } from "./path-drawing";
import styles from "./probes.module.css";
import { ProbeTabs } from "./probes-tabs";
import { asPath, compared, type HopChange, isOtherRoute, systemName } from "./trace-diff";
import { useProbe } from "./use-probe";

/** Traces that can be chosen from: the newest of the range. */
const most = 200;
const refresh = 10_000;

type Snapshot = { key: string; result: ProbeResult; trace: Trace };

export function TracesPage() {
  const t = useT();
  useLongRange();
  const time = useTime();
  const { id, current, error } = useProbe();
  const { agent: chosen } = useSearch({ strict: false }) as AppSearch;
  const agents = current?.value.status.map(({ agent }) => agent) ?? [];
  const agent = agents.find((one) => one === chosen) ?? agents[0];
  const traces = useQuery({
    ...resultsQuery(id, { ...time.query, kind: "mtr", limit: most, ...(agents.length > 1 && agent && { agent }) }),
    refetchInterval: time.mode === "live" ? refresh : false,
  });
  const failed = error ?? (traces.data === undefined ? traces.error : null);
  const name = current?.value.name;
  return (
    <Page
      title={name === undefined ? t("page.traces") : t("trace.title", { name })}
      heading={name}
      actions={<ProbeTabs probe={id} />}
    >
      {failed !== null ? (
        <ProblemBox error={failed} subject={t("page.traces")} onRetry={() => void traces.refetch()} />
      ) : traces.data === undefined ? (
        <Skeleton height={420} />
      ) : (
        <Snapshots all={snapshotsOf(traces.data.items)} agents={agents} agent={agent} />
      )}
    </Page>
  );
}

function snapshotsOf(results: readonly ProbeResult[]): Snapshot[] {
  return results.flatMap((result) =>
    result.detail != null && "mtr" in result.detail ? [{ key: result.start, result, trace: result.detail.mtr }] : [],
  );
}

/** Ways begin where the agent is: traces of one agent are compared with each other. */
type SnapshotsProps = { all: readonly Snapshot[]; agents: readonly string[]; agent: string | undefined };

function Snapshots({ all, agents, agent }: SnapshotsProps) {
  const t = useT();
  const search = useSearch({ strict: false }) as AppSearch;
  const navigate = useNavigate();
  const title = useSnapshotTitle();
  const nameOf = useAgentName();
  const set = (change: AppSearch) =>
    void navigate({ to: ".", search: (now: AppSearch) => ({ ...now, ...change }), replace: true });
  const shown = all.find(({ key }) => key === search.trace) ?? all[0];
  const from = agents.length > 1 && (
    <Select
      label={t("probe.agent")}
      value={agent ?? ""}
      options={agents.map((value) => ({ value, label: nameOf(value) }))}
      onChange={(next) => set({ agent: next, trace: undefined, against: undefined, path: undefined })}
    />
  );
  if (shown === undefined) {
    return (
      <>
        {from && <div className={styles.controls}>{from}</div>}
        <Empty title={t("trace.none")}>
          <p>{t("trace.noneText")}</p>
        </Empty>
      </>
    );
  }
  const against = all.find(({ key }) => key === search.against);
  const options = all.map((one) => ({ value: one.key, label: title(one) }));
  const number = Math.max(0, Number(search.path ?? 1) - 1);
  return (
    <>
      <div className={styles.controls}>
        {from}
        <Select
          label={t("trace.shown")}
          value={shown.key}
          options={options}
          onChange={(trace) => set({ trace: trace === all[0]?.key ? undefined : trace, path: undefined })}
        />
        <Select
          label={t("trace.against")}
          value={against?.key ?? ""}
          options={[{ value: "", label: t("trace.nothing") }, ...options.filter(({ value }) => value !== shown.key)]}
          onChange={(next) => set({ against: next || undefined })}
        />
      </div>
      {shown.trace.paths.length > 1 && (
        <Tabs
          label={t("trace.paths")}
          value={String(Math.min(number, shown.trace.paths.length - 1))}
          options={shown.trace.paths.map((path, i) => ({
            value: String(i),
            label: t("trace.path", { n: i + 1, hops: path.hops.length }),
          }))}
          onChange={(next) => set({ path: next === "0" ? undefined : String(Number(next) + 1) })}
        />
      )}
      {against === undefined ? (
        <One snapshot={shown} path={shown.trace.paths[number] ?? shown.trace.paths[0]} />
      ) : (
        <Two
          before={against}
          after={shown}
          paths={[
            against.trace.paths[number] ?? against.trace.paths[0],
            shown.trace.paths[number] ?? shown.trace.paths[0],
          ]}
        />
      )}
      <PathDrawing all={all} shown={shown.trace} />
    </>
  );
}

function useSnapshotTitle(): (snapshot: Snapshot) => string {
  const t = useT();
  const format = useFormat();
  return ({ result, trace }) => {
    const words = [
      format.dateTime(Date.parse(result.start)),
      trace.paths[0]?.id.slice(0, 6),
      t(trace.reached ? "trace.reached" : "trace.notReached"),
      result.trigger === "schedule" ? undefined : t(`probe.trigger.${result.trigger}`),
    ];
    return words.filter((word) => word !== undefined).join(" · ");
  };
}

function One({ snapshot, path }: { snapshot: Snapshot; path: TracePath | undefined }) {
  const t = useT();
  const format = useFormat();
  const { result, trace } = snapshot;
  return (
    <Section
      title={t("trace.hops")}
      hint={
        path === undefined
          ? undefined
          : t("trace.identity", { id: path.id, time: format.dateTime(Date.parse(result.start)) })
      }
    >
      {path !== undefined && <HopTable path={path} label={t("trace.hops")} />}
      <TraceFacts trace={trace} path={path} />
      {result.failure != null && <p className={styles.message}>{result.failure.message}</p>}
    </Section>
  );
}

const marks: Readonly<Record<HopChange, Status>> = {
  same: "ok",
  address: "warning",
  labels: "warning",
  silent: "silent",
  answers: "ok",
  new: "warning",
  gone: "warning",
};

type TwoProps = { before: Snapshot; after: Snapshot; paths: readonly [TracePath | undefined, TracePath | undefined] };

/** Two snapshots side by side, hop by hop. */
function Two({ before, after, paths }: TwoProps) {
  const t = useT();
  const format = useFormat();
  const pairs = compared(...paths);
  const changed = isOtherRoute(pairs);
  const median = (rtt: { median: number } | null | undefined) => (rtt == null ? "–" : format.duration(rtt.median));
  const at = ({ result }: Snapshot) => format.dateTime(Date.parse(result.start));
  return (
    <Section
      title={t("trace.compared")}
      hint={<Mark status={changed ? "warning" : "ok"}>{t(changed ? "trace.otherRoute" : "trace.sameRoute")}</Mark>}
    >
      <MiniTable
        label={t("trace.compared")}
        head={[
          `>${t("trace.ttl")}`,
          t("trace.before", { time: at(before) }),
          `>${t("trace.medianBefore")}`,
          t("trace.after", { time: at(after) }),
          `>${t("trace.medianAfter")}`,
          t("trace.change"),
        ]}
        rows={pairs.map((pair) => ({
          key: String(pair.ttl),
          marked: pair.change !== "same",
          cells: [
            String(pair.ttl),
            pair.before === undefined ? (
              <Hint key="before">{t("trace.noHop")}</Hint>
            ) : (
              <HopHost key="before" hop={pair.before} />
            ),
            median(pair.before?.rtt),
            pair.after === undefined ? (
              <Hint key="after">{t("trace.noHop")}</Hint>
            ) : (
              <HopHost key="after" hop={pair.after} />
            ),
            median(pair.after?.rtt),
            <Mark key="change" status={marks[pair.change]}>
              {t(`trace.change.${pair.change}`)}
            </Mark>,
          ],
        }))}
      />
      <Wholes before={before} after={after} paths={paths} />
    </Section>
  );
}

/** What the two are as a whole: systems on the way, and how large packets may be. */
function Wholes({ before, after, paths }: TwoProps) {
  const t = useT();
  const systems = paths.map((path) => (path === undefined ? [] : asPath(path)).map(systemName).join(" → ") || "–");
  const sizes = [before, after].map(({ trace }) =>
    trace.path_mtu == null ? "–" : t("trace.octets", { n: trace.path_mtu }),
  );
  return (
    <MiniTable
      label={t("trace.wholes")}
      head={[t("map.what"), t("trace.beforeShort"), t("trace.afterShort")]}
      rows={[
        { key: "systems", cells: [t("trace.asPath"), ...systems] },
        { key: "sizes", cells: [t("trace.mtu"), ...sizes] },
      ]}
    />
  );
}
