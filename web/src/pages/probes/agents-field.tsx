/** Which agents run a probe: the server's own, all, chosen ones, or those with some labels. */
import { useQuery } from "@tanstack/react-query";
import { allAgentsQuery } from "~/api/agents";
import type { Agent } from "~/api/schema";
import { useT } from "~/i18n";
import { useMay } from "~/session/session";
import { SelectField } from "~/ui/form";
import { Hint, Section } from "~/ui/page";
import { LabelsField } from "../agents/labels-field";
import { AgentChecks } from "./agent-checks";
import { type AgentsChoice, agentModes, choiceFault, chosenOf } from "./agents-choice";
import styles from "./probes.module.css";

/** Names that are written out. */
const mostNames = 6;

type AgentsFieldProps = {
  value: AgentsChoice;
  /** Somebody has tried to send it. */
  tried: boolean;
  /** What the server says of it. */
  error: string | undefined;
  onChange: (value: AgentsChoice) => void;
};

export function AgentsField({ value, tried, error, onChange }: AgentsFieldProps) {
  const t = useT();
  const may = useMay();
  const { data } = useQuery({ ...allAgentsQuery, enabled: may("agents.read") });
  const agents = data?.items ?? [];
  const fault = choiceFault(value);
  const { mode, ids, labels } = value;
  return (
    <Section title={t("probes.agents")} hint={t("probes.agentsHint")}>
      <div className={styles.fields}>
        <SelectField
          label={t("probes.agentsWhich")}
          value={mode}
          options={agentModes.map((one) => ({ value: one, label: t(`probes.agents.${one}`) }))}
          onChange={(next) => onChange({ ...value, mode: agentModes.find((one) => one === next) ?? "own" })}
        />
        {mode === "chosen" && (
          <AgentChecks
            label={t("probes.agents.chosen")}
            agents={agents}
            chosen={ids}
            onChange={(next) => onChange({ ...value, ids: next })}
          />
        )}
        {(mode === "labels" || (mode === "chosen" && labels !== "")) && (
          <LabelsField
            label={t(mode === "labels" ? "agents.labels" : "probes.agentsAndLabels")}
            hint={t("probes.agentsLabelsHint")}
            value={labels}
            onChange={(next) => onChange({ ...value, labels: next })}
          />
        )}
        {error !== undefined || (tried && fault === "nobody") ? (
          <p role="alert" className={styles.fault}>
            {error ?? t("probes.agentsNobody")}
          </p>
        ) : (
          mode !== "own" && fault === undefined && <Chosen agents={chosenOf(value, agents)} />
        )}
      </div>
    </Section>
  );
}

/** Who that is now. */
function Chosen({ agents }: { agents: readonly Agent[] }) {
  const t = useT();
  if (agents.length === 0) return <Hint>{t("probes.agentsNone")}</Hint>;
  const names = agents.slice(0, mostNames).map(({ name }) => name);
  const more = agents.length - names.length;
  return (
    <Hint>
      {t("probes.agentsNow", { n: agents.length, names: names.join(", ") })}
      {more > 0 && ` ${t("probe.more", { n: more })}`}
    </Hint>
  );
}
