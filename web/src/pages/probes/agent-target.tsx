/** The target of a probe to another agent: one of those that are known, found by name, group, address or label. */
import { useQuery } from "@tanstack/react-query";
import { useMemo } from "react";
import { allAgentsQuery } from "~/api/agents";
import { useT } from "~/i18n";
import { useMay } from "~/session/session";
import { ChoiceField } from "~/ui/choice-field";
import { Hint } from "~/ui/page";
import { AgentMark } from "../agents/agent-state";
import { labelsText } from "../agents/labels";
import { useAgentName } from "../agents/use-agent-name";

type AgentTargetProps = {
  hint: string;
  value: string;
  error: string | undefined;
  onChange: (agent: string) => void;
};

export function AgentTarget({ hint, value, error, onChange }: AgentTargetProps) {
  const t = useT();
  const may = useMay();
  const nameOf = useAgentName();
  const { data } = useQuery({ ...allAgentsQuery, enabled: may("agents.read") });
  const choices = useMemo(
    () =>
      (data?.items ?? []).map(({ id, name, group, state, hostname, addresses, peer_address, labels }) => ({
        value: id,
        label: name,
        words: [id, group, hostname, peer_address, ...addresses, labelsText(labels)].filter(Boolean).join(" "),
        note: group == null ? undefined : <Hint>{group}</Hint>,
        mark: <AgentMark state={state} />,
      })),
    [data],
  );
  return (
    <ChoiceField
      label={t("probes.target")}
      hint={hint}
      error={error}
      placeholder={t("probes.chooseAgent")}
      value={value}
      unknown={nameOf(value)}
      choices={choices}
      onChange={onChange}
    />
  );
}
