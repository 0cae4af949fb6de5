/** Agents: the places from which the workspace is observed, and how each stands by the server's clock. */
import { useQuery } from "@tanstack/react-query";
import { Link, useNavigate, useSearch } from "@tanstack/react-router";
import { useState } from "react";
import { agentsQuery, agentsRefresh } from "~/api/agents";
import type { Agent } from "~/api/schema";
import { type AppSearch, agentStates } from "~/app/search";
import { useT } from "~/i18n";
import { paths } from "~/lib/paths";
import { useFormat } from "~/prefs/use-format";
import { useMay } from "~/session/session";
import { Button, Mark, Select } from "~/ui/controls";
import type { Column } from "~/ui/data-table";
import { Empty } from "~/ui/feedback";
import { List } from "~/ui/list";
import { Page } from "~/ui/page";
import { SearchField, usePaging } from "~/ui/pages";
import { AddAgent } from "./add-agent";
import { AgentMark, Clock, CollectorsMark, LabelTags } from "./agent-state";
import { EnrolmentTokens } from "./enrolment-tokens";
import { Seen } from "./seen";
import { addressOf } from "./state";

const everyState = "all";

export function AgentsPage() {
  const t = useT();
  const may = useMay();
  const search = useSearch({ strict: false }) as AppSearch;
  const navigate = useNavigate();
  const [adding, setAdding] = useState(false);
  const { q, state } = search;
  const paging = usePaging(JSON.stringify([q, state]));
  const query = useQuery({
    ...agentsQuery({
      ...(q && { search: q }),
      ...(state && { state }),
      ...(paging.cursor && { cursor: paging.cursor }),
    }),
    refetchInterval: agentsRefresh,
  });
  const add = may("agents.write") && (
    <Button look="primary" onClick={() => setAdding(true)}>
      {t("agents.add")}
    </Button>
  );
  const setState = (next: string) =>
    void navigate({
      to: ".",
      search: (now: AppSearch) => ({ ...now, state: agentStates.find((one) => one === next) }),
      replace: true,
    });
  return (
    <Page
      title={t("page.agents")}
      actions={
        <>
          <SearchField label={t("agents.search")} />
          <Select
            label={t("column.state")}
            value={state ?? everyState}
            options={[
              { value: everyState, label: t("agents.everyState") },
              ...agentStates.map((value) => ({ value, label: t(`agents.state.${value}`) })),
            ]}
            onChange={setState}
          />
          {add}
        </>
      }
    >
      <List
        query={query}
        paging={paging}
        label={t("page.agents")}
        name="agents"
        columns={useAgentColumns()}
        rowKey={(row) => row.id}
        onOpen={(row) => void navigate(paths.agent(row.id, search))}
        empty={
          q !== undefined || state !== undefined ? (
            <Empty title={t("list.noMatch")} />
          ) : (
            <Empty title={t("agents.none")} action={add}>
              <p>{t("agents.noneText")}</p>
            </Empty>
          )
        }
      />
      {may("agents.write") && <EnrolmentTokens />}
      {adding && <AddAgent onClose={() => setAdding(false)} />}
    </Page>
  );
}

function useAgentColumns(): readonly Column<Agent>[] {
  const t = useT();
  const format = useFormat();
  const search = useSearch({ strict: false }) as AppSearch;
  return [
    {
      id: "name",
      header: t("list.name"),
      width: 164,
      cell: (row) => (
        <Link
          {...paths.agent(row.id, search)}
          tabIndex={-1}
          title={row.name}
          onClick={(event) => event.stopPropagation()}
        >
          {row.name}
        </Link>
      ),
    },
    { id: "state", header: t("column.state"), width: 140, cell: (row) => <AgentMark state={row.state} /> },
    {
      id: "address",
      header: t("probe.address"),
      width: 150,
      mono: true,
      priority: 2,
      cell: (row) => <span title={row.addresses.join("\n")}>{addressOf(row) ?? "–"}</span>,
    },
    {
      id: "version",
      header: t("health.version"),
      width: 96,
      mono: true,
      priority: 3,
      cell: (row) => <Version agent={row} />,
    },
    {
      id: "labels",
      header: t("agents.labels"),
      width: 180,
      priority: 3,
      cell: (row) => <LabelTags labels={row.labels} />,
    },
    { id: "group", header: t("agents.group"), width: 100, priority: 3, cell: (row) => row.group ?? "–" },
    {
      id: "collectors",
      header: t("agents.collectors"),
      width: 130,
      priority: 2,
      cell: (row) => <CollectorsMark collectors={row.collectors} />,
    },
    {
      id: "clock",
      header: t("agents.clock"),
      width: 112,
      right: true,
      priority: 3,
      cell: (row) => <Clock clock={row.clock} />,
    },
    {
      id: "spool",
      header: t("agents.backlog"),
      width: 90,
      right: true,
      priority: 3,
      cell: (row) => (row.spool == null ? "–" : <Backlog spool={row.spool} />),
    },
    {
      id: "seen",
      header: t("agents.lastSeen"),
      width: 132,
      right: true,
      priority: 2,
      cell: (row) => (row.last_seen == null ? "–" : <Seen time={row.last_seen} />),
    },
  ];

  /** Marked when it has to be another one. */
  function Version({ agent: { version, refused, left_out: n } }: { agent: Agent }) {
    const why = refused == null ? n > 0 && t("agents.leavesOut", { n }) : t("agents.refused");
    if (why === false) return version ?? "–";
    return (
      <span title={`${why}: ${refused?.message ?? t("agents.leavesOutText", { version: version ?? "–" })}`}>
        <Mark status={refused == null ? "warning" : "critical"}>{version ?? "–"}</Mark>
      </span>
    );
  }

  function Backlog({ spool: { bytes, batches, dropped } }: { spool: NonNullable<Agent["spool"]> }) {
    const title = t("agents.backlogIs", { batches, volume: format.volume(bytes), dropped });
    return <span title={title}>{batches === 0 ? t("agents.backlogNone") : format.volume(bytes)}</span>;
  }
}
