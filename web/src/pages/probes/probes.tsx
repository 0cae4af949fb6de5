/** Probes: what the workspace measures, and how each stands now. */
import { useQuery } from "@tanstack/react-query";
import { Link, useNavigate, useSearch } from "@tanstack/react-router";
import { probesQuery, probesRefresh } from "~/api/probes";
import type { Probe } from "~/api/schema";
import type { AppSearch } from "~/app/search";
import { useT } from "~/i18n";
import { paths } from "~/lib/paths";
import { useFormat } from "~/prefs/use-format";
import { useMay } from "~/session/session";
import { buttonClass } from "~/ui/controls";
import type { Column } from "~/ui/data-table";
import { Empty } from "~/ui/feedback";
import { List } from "~/ui/list";
import { Page } from "~/ui/page";
import { SearchField, usePaging } from "~/ui/pages";
import { TimeAgo } from "~/ui/time-ago";
import { useAgentName } from "../agents/use-agent-name";
import { LeftOutTag } from "./left-out";
import { ProbeFilters } from "./probe-filters";
import { ProbesTabs } from "./probes-tabs";
import { RunsBar, StandingMark } from "./standing";
import { standingOf, worst } from "./state";
import { useTargetName } from "./use-target-name";

export function ProbesPage() {
  const t = useT();
  const may = useMay();
  const search = useSearch({ strict: false }) as AppSearch;
  const navigate = useNavigate();
  const { q, standing, kind, label, rank } = search;
  const chosen = {
    ...(q && { search: q }),
    ...(standing && { state: standing }),
    ...(kind && { kind }),
    ...(label && { label }),
    ...(rank && { sort: rank }),
  };
  const isFiltered = Boolean(q || standing || kind || label);
  const paging = usePaging(JSON.stringify(chosen));
  const question = { ...chosen, ...(paging.cursor && { cursor: paging.cursor }) };
  const query = useQuery({ ...probesQuery(question), refetchInterval: probesRefresh });
  const create = may("probes.write") && (
    <Link {...paths.newProbe(search)} className={buttonClass(true)}>
      {t("probes.new")}
    </Link>
  );
  return (
    <Page
      title={t("page.probes")}
      actions={
        <>
          <ProbesTabs />
          <SearchField label={t("probes.search")} />
          {create}
        </>
      }
    >
      <ProbeFilters />
      <List
        query={query}
        paging={paging}
        label={t("page.probes")}
        name="probes"
        columns={useProbeColumns()}
        rowKey={(row) => row.id}
        onOpen={(row) => void navigate(paths.probe(row.id, search))}
        empty={
          isFiltered ? (
            <Empty title={t("list.noMatch")} />
          ) : (
            <Empty title={t("probes.none")} action={create}>
              <p>{t("probes.noneText")}</p>
            </Empty>
          )
        }
      />
    </Page>
  );
}

function useProbeColumns(): readonly Column<Probe>[] {
  const t = useT();
  const format = useFormat();
  const nameOf = useAgentName();
  const targetOf = useTargetName();
  const search = useSearch({ strict: false }) as AppSearch;
  return [
    {
      id: "name",
      header: t("list.name"),
      cell: (row) => (
        <Link
          {...paths.probe(row.id, search)}
          tabIndex={-1}
          title={row.name}
          onClick={(event) => event.stopPropagation()}
        >
          {row.name}
        </Link>
      ),
    },
    { id: "kind", header: t("probes.kind"), width: 104, mono: true, priority: 2, cell: (row) => row.spec.kind },
    {
      id: "target",
      header: t("probes.target"),
      width: 200,
      mono: true,
      priority: 2,
      cell: (row) => <span title={row.spec.target}>{targetOf(row.spec)}</span>,
    },
    {
      id: "state",
      header: t("column.state"),
      width: 176,
      cell: (row) => (
        <span title={worst(row.status)?.message ?? undefined}>
          <StandingMark standing={standingOf(row)} maintenance={row.maintenance} />
          <LeftOutTag agents={row.left_out} />
        </span>
      ),
    },
    {
      id: "agents",
      header: t("probes.agents"),
      width: 130,
      priority: 3,
      cell: ({ status }) => {
        const each = status.map((one) => `${nameOf(one.agent)}: ${t(`probes.state.${one.state}`)}`);
        const [only] = status;
        return (
          <span title={each.join("\n")}>
            {only === undefined
              ? "–"
              : status.length === 1
                ? nameOf(only.agent)
                : t("probes.agentsRunning", { n: status.length })}
          </span>
        );
      },
    },
    {
      id: "response",
      header: t("probes.response"),
      width: 112,
      right: true,
      cell: (row) => {
        const response = worst(row.status)?.response;
        return response == null ? "–" : format.duration(response);
      },
    },
    {
      id: "loss",
      header: t("probes.loss"),
      width: 78,
      right: true,
      priority: 3,
      cell: (row) => {
        const loss = worst(row.status)?.loss;
        return loss == null ? "–" : format.percent(loss, 1);
      },
    },
    {
      id: "runs",
      header: t("probes.runs"),
      width: 200,
      priority: 2,
      cell: (row) => <RunsBar runs={worst(row.status)?.runs ?? []} />,
    },
    {
      id: "last",
      header: t("probes.lastRun"),
      width: 112,
      right: true,
      priority: 3,
      cell: (row) => {
        const time = worst(row.status)?.time;
        return time === undefined ? "–" : <TimeAgo time={time} />;
      },
    },
  ];
}
