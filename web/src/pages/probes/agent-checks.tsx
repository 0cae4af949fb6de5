/** Agents to tick, each with its state; a search above when they are many. */
import { useId, useState } from "react";
import type { Agent } from "~/api/schema";
import { useT } from "~/i18n";
import form from "~/ui/form.module.css";
import { Hint } from "~/ui/page";
import { AgentMark } from "../agents/agent-state";
import { shortId } from "../agents/state";
import styles from "./probes.module.css";

/** So many are seen at a glance. */
const few = 10;
/** Rows that are drawn at most: who looks for another searches. */
const most = 100;

type AgentChecksProps = {
  label: string;
  agents: readonly Agent[];
  chosen: readonly string[];
  onChange: (chosen: string[]) => void;
};

export function AgentChecks({ label, agents, chosen, onChange }: AgentChecksProps) {
  const t = useT();
  const id = useId();
  const [text, setText] = useState("");
  const part = text.trim().toLowerCase();
  const fitting = agents.filter(({ name, group }) => `${name} ${group ?? ""}`.toLowerCase().includes(part));
  // Agents that are chosen and not known here: deleted, or of another workspace.
  const unknown = chosen.filter((one) => !agents.some((agent) => agent.id === one));
  const toggle = (agent: string) =>
    onChange(chosen.includes(agent) ? chosen.filter((one) => one !== agent) : [...chosen, agent]);
  return (
    <fieldset className={styles.checks}>
      <legend className="visually-hidden">{label}</legend>
      {agents.length > few && (
        <input
          type="search"
          aria-label={t("agents.search")}
          placeholder={t("agents.search")}
          className={form.input}
          maxLength={100}
          value={text}
          onChange={(event) => setText(event.target.value)}
        />
      )}
      <div className={styles.checkList}>
        {fitting.slice(0, most).map((agent) => (
          <label key={agent.id} htmlFor={`${id}-${agent.id}`}>
            <input
              id={`${id}-${agent.id}`}
              type="checkbox"
              checked={chosen.includes(agent.id)}
              onChange={() => toggle(agent.id)}
            />
            <span>{agent.name}</span>
            {agent.group != null && <Hint>{agent.group}</Hint>}
            <AgentMark state={agent.state} />
          </label>
        ))}
        {unknown.map((one) => (
          <label key={one} htmlFor={`${id}-${one}`}>
            <input id={`${id}-${one}`} type="checkbox" checked onChange={() => toggle(one)} />
            <span>{t("matrix.agent", { agent: shortId(one) })}</span>
          </label>
        ))}
      </div>
      {fitting.length === 0 && unknown.length === 0 && <Hint>{t("list.noMatch")}</Hint>}
      {fitting.length > most && <Hint>{t("probe.more", { n: fitting.length - most })}</Hint>}
    </fieldset>
  );
}
