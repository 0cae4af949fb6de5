/** Names of agents, for pages that know only their ids. An agent that is not known here is called by its id. */
import { useQuery } from "@tanstack/react-query";
import { useMemo } from "react";
import { allAgentsQuery } from "~/api/agents";
import { useT } from "~/i18n";
import { ownAgent } from "~/lib/agents";
import { useMay } from "~/session/session";
import { shortId } from "./state";

export function useAgentName(): (id: string) => string {
  const t = useT();
  const may = useMay();
  const { data } = useQuery({ ...allAgentsQuery, enabled: may("agents.read") });
  const names = useMemo(() => new Map(data?.items.map(({ id, name }) => [id, name] as const)), [data]);
  return (id) => names.get(id) ?? (id === ownAgent ? t("agents.own") : t("matrix.agent", { agent: shortId(id) }));
}
