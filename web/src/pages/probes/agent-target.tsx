/** The target of a probe to another agent: one of those that are known, chosen by name. */
import { useQuery } from "@tanstack/react-query";
import { allAgentsQuery } from "~/api/agents";
import { useT } from "~/i18n";
import { useMay } from "~/session/session";
import { SelectField } from "~/ui/form";

type AgentTargetProps = { value: string; error: string | undefined; onChange: (agent: string) => void };

export function AgentTarget({ value, error, onChange }: AgentTargetProps) {
  const t = useT();
  const may = useMay();
  const { data } = useQuery({ ...allAgentsQuery, enabled: may("agents.read") });
  const agents = data?.items ?? [];
  const known = agents.some(({ id }) => id === value);
  return (
    <SelectField
      label={t("probes.target")}
      hint={t("probes.targetAgent")}
      value={known ? value : ""}
      error={error}
      options={[
        { value: "", label: t("probes.chooseAgent") },
        ...agents.map(({ id, name, state }) => ({ value: id, label: `${name} · ${t(`agents.state.${state}`)}` })),
      ]}
      onChange={onChange}
    />
  );
}
