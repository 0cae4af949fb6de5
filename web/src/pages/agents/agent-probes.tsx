/** The probes that an agent runs, and how each stands there. */
import { useQuery } from "@tanstack/react-query";
import { Link, useNavigate, useSearch } from "@tanstack/react-router";
import { probesQuery, probesRefresh } from "~/api/probes";
import type { Agent, Probe, ProbeStatus } from "~/api/schema";
import type { AppSearch } from "~/app/search";
import { useT } from "~/i18n";
import { paths } from "~/lib/paths";
import { useFormat } from "~/prefs/use-format";
import { useMay } from "~/session/session";
import type { Column } from "~/ui/data-table";
import { Empty } from "~/ui/feedback";
import { List } from "~/ui/list";
import { Section } from "~/ui/page";
import { usePaging } from "~/ui/pages";
import { TimeAgo } from "~/ui/time-ago";
import { RunsBar, StandingMark } from "../probes/standing";
import { standingAt } from "../probes/state";
import { useTargetName } from "../probes/use-target-name";

export function AgentProbes({ agent }: { agent: Agent }) {
  const t = useT();
  const may = useMay();
  const navigate = useNavigate();
  const search = useSearch({ strict: false }) as AppSearch;
  const paging = usePaging(agent.id);
  const query = useQuery({
    ...probesQuery({ agent: agent.id, ...(paging.cursor && { cursor: paging.cursor }) }),
    refetchInterval: probesRefresh,
    enabled: may("probes.read"),
  });
  const columns = useColumns(agent.id);
  if (!may("probes.read")) return null;
  return (
    <Section title={t("page.probes")} hint={t("agents.probesHint")}>
      <List
        query={query}
        paging={paging}
        label={t("page.probes")}
        name="agent-probes"
        columns={columns}
        rowKey={(row) => row.id}
        onOpen={(row) => void navigate(paths.probe(row.id, search, { agent: agent.id }))}
        empty={
          <Empty title={t("agents.noProbes")}>
            <p>{t("agents.noProbesText")}</p>
          </Empty>
        }
      />
    </Section>
  );
}

function useColumns(agent: string): readonly Column<Probe>[] {
  const t = useT();
  const format = useFormat();
  const search = useSearch({ strict: false }) as AppSearch;
  const targetOf = useTargetName();
  const here = (row: Probe): ProbeStatus | undefined => row.status.find((one) => one.agent === agent);
  return [
    {
      id: "name",
      header: t("list.name"),
      cell: (row) => (
        <Link
          {...paths.probe(row.id, search, { agent })}
          tabIndex={-1}
          title={row.name}
          onClick={(event) => event.stopPropagation()}
        >
          {row.name}
        </Link>
      ),
    },
    { id: "kind", header: t("probes.kind"), width: 104, mono: true, priority: 2, cell: (row) => row.spec.kind },
    { id: "target", header: t("probes.target"), mono: true, priority: 2, cell: (row) => targetOf(row.spec) },
    {
      id: "state",
      header: t("column.state"),
      width: 112,
      cell: (row) => (
        <span title={here(row)?.message ?? undefined}>
          <StandingMark standing={standingAt(row, agent)} />
        </span>
      ),
    },
    {
      id: "response",
      header: t("probes.response"),
      width: 96,
      right: true,
      cell: (row) => {
        const response = here(row)?.response;
        return response == null ? "–" : format.duration(response);
      },
    },
    {
      id: "runs",
      header: t("probes.runs"),
      width: 200,
      priority: 2,
      cell: (row) => <RunsBar runs={here(row)?.runs ?? []} />,
    },
    {
      id: "last",
      header: t("probes.lastRun"),
      width: 112,
      right: true,
      priority: 3,
      cell: (row) => {
        const time = here(row)?.time;
        return time === undefined ? "–" : <TimeAgo time={time} />;
      },
    },
  ];
}
