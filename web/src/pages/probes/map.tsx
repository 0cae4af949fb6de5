/** The network map: the last trace of every probe and agent as one graph, live. */
import { useQuery } from "@tanstack/react-query";
import { useNavigate, useSearch } from "@tanstack/react-router";
import { useMemo } from "react";
import { mapQuery, probesRefresh } from "~/api/probes";
import type { NetworkMap } from "~/api/schema";
import type { AppSearch } from "~/app/search";
import { useT } from "~/i18n";
import { Button, Mark, Select } from "~/ui/controls";
import { Empty, ProblemBox, Skeleton } from "~/ui/feedback";
import { Page } from "~/ui/page";
import { SearchField } from "~/ui/pages";
import { Drawing } from "./map/drawing";
import styles from "./map/map.module.css";
import { nameOf } from "./map/marks";
import { NodePanel } from "./map/node-panel";
import { NodeTable } from "./map/node-table";
import { fitting } from "./map/selection";
import { ProbesTabs } from "./probes-tabs";
import { marks } from "./state";

export function MapPage() {
  const t = useT();
  const search = useSearch({ strict: false }) as AppSearch;
  const { q, probe, agent, fitting: only } = search;
  const question = { ...(probe && { probe }), ...(agent && { agent }), ...(only && q && { search: q }) };
  const { data, error, refetch } = useQuery({ ...mapQuery(question), refetchInterval: probesRefresh });
  return (
    <Page
      title={t("page.map")}
      number={data !== undefined && data.traces.length > 0 && t("map.traces", { n: data.traces.length })}
      actions={
        <>
          <ProbesTabs />
          <SearchField label={t("map.search")} />
        </>
      }
    >
      {error !== null && <ProblemBox error={error} subject={t("page.map")} onRetry={() => void refetch()} />}
      {data === undefined ? (
        error === null && <Skeleton height={480} />
      ) : (
        <>
          <Controls map={data} />
          {data.nodes.length === 0 ? <Nothing map={data} /> : <Shown map={data} />}
        </>
      )}
    </Page>
  );
}

function useChange(): (change: AppSearch) => void {
  const navigate = useNavigate();
  return (change) =>
    void navigate({ to: ".", search: (now: AppSearch) => ({ ...now, ...change }), replace: true, resetScroll: false });
}

/** Which traces, and in which form. */
function Controls({ map }: { map: NetworkMap }) {
  const t = useT();
  const change = useChange();
  const { q, probe, agent, view, fitting: only } = useSearch({ strict: false }) as AppSearch;
  const agents = map.nodes.filter(({ kind }) => kind === "agent");
  const name = map.traces.find((trace) => trace.probe === probe)?.name;
  return (
    <div className={styles.controls}>
      {(agents.length > 1 || agent !== undefined) && (
        <Select
          label={t("probe.agent")}
          value={agent ?? ""}
          options={[
            { value: "", label: t("map.allAgents") },
            ...agents.map((node) => ({ value: node.agent ?? "", label: nameOf(node, t) })),
          ]}
          onChange={(next) => change({ agent: next || undefined, node: undefined })}
        />
      )}
      {probe !== undefined && (
        <Button icon="close" onClick={() => change({ probe: undefined })}>
          {t("map.onlyProbe", { name: name ?? probe })}
        </Button>
      )}
      {q !== undefined && (
        <Button pressed={only !== undefined} onClick={() => change({ fitting: only ? undefined : "yes" })}>
          {t("map.onlyFitting")}
        </Button>
      )}
      <Button
        icon="table"
        pressed={view === "table"}
        onClick={() => change({ view: view === "table" ? undefined : "table" })}
      >
        {t("traffic.table")}
      </Button>
      <span className={styles.notes}>
        {map.left_out > 0 && <Mark status="warning">{t("map.leftOut", { n: map.left_out })}</Mark>}
        {map.untraced > 0 && <span>{t("map.untraced", { n: map.untraced })}</span>}
        {map.unwatched > 0 && <span>{t("map.unwatched", { n: map.unwatched })}</span>}
      </span>
    </div>
  );
}

/** Why there is nothing, and what to do. */
function Nothing({ map }: { map: NetworkMap }) {
  const t = useT();
  const { q, probe, agent, fitting: only } = useSearch({ strict: false }) as AppSearch;
  if (probe !== undefined || agent !== undefined || (q !== undefined && only !== undefined)) {
    return (
      <Empty title={t("map.noneFits")}>
        <p>{t("map.noneFitsText")}</p>
      </Empty>
    );
  }
  return (
    <Empty title={t("map.none")}>
      <p>{t(map.untraced > 0 ? "map.noneTraced" : "map.noneText")}</p>
    </Empty>
  );
}

function Shown({ map }: { map: NetworkMap }) {
  const t = useT();
  const change = useChange();
  const { q = "", node, view } = useSearch({ strict: false }) as AppSearch;
  const found = useMemo(() => (q.trim() === "" ? undefined : fitting(map, q)), [map, q]);
  const selected = map.nodes.find(({ id }) => id === node);
  const shared = { map, found, selected: selected?.id, onSelect: (id: string) => change({ node: id }) };
  return (
    <>
      {found !== undefined && (
        <p className={styles.found} role="status">
          {t("map.found", { n: found.size })}
        </p>
      )}
      {view === "table" ? <NodeTable {...shared} /> : <Drawing {...shared} />}
      {view !== "table" && <Legend />}
      {selected !== undefined && <NodePanel map={map} node={selected} onClose={() => change({ node: undefined })} />}
    </>
  );
}

function Legend() {
  const t = useT();
  return (
    <ul className={styles.legend} aria-label={t("chart.legend")}>
      {(["up", "degraded", "down", "unknown"] as const).map((state) => (
        <li key={state}>
          <Mark status={marks[state]}>{t(`probes.state.${state}`)}</Mark>
        </li>
      ))}
      <li>
        <Mark status="silent">{t("map.legendSilent")}</Mark>
      </li>
      <li>{t("map.legendEdges")}</li>
      <li>{t("map.legendKeys")}</li>
    </ul>
  );
}
