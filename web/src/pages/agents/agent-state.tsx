/** The state of an agent, of its collectors and of its clock as shape, colour and word. */
import type { Agent, AgentClock, AgentState } from "~/api/schema";
import { useT } from "~/i18n";
import { useFormat } from "~/prefs/use-format";
import { Mark } from "~/ui/controls";
import styles from "./agents.module.css";
import { clockMarks, clockStanding, collectorMarks, marks, worstCollectors } from "./state";

export function AgentMark({ state }: { state: AgentState }) {
  const t = useT();
  return <Mark status={marks[state]}>{t(`agents.state.${state}`)}</Mark>;
}

export function CollectorsMark({ collectors }: { collectors: Agent["collectors"] }) {
  const t = useT();
  const worst = worstCollectors(collectors);
  if (worst === undefined) return "–";
  const title = collectors.map(({ name, state }) => `${name}: ${t(`agents.collector.${state}`)}`).join("\n");
  return (
    <span title={title}>
      <Mark status={collectorMarks[worst.state]}>
        {t("agents.collectorsIn", { n: worst.count, state: t(`agents.collector.${worst.state}`) })}
      </Mark>
    </span>
  );
}

/** "+1.20 ms ± 0.4 ms": the agent's clock less the server's, as it is estimated. */
export function Clock({ clock, long = false }: { clock: AgentClock | null | undefined; long?: boolean }) {
  const t = useT();
  const format = useFormat();
  if (clock == null) return "–";
  const standing = clockStanding(clock);
  const offset = format.signedDuration(clock.offset_seconds);
  const within = t("agents.clockWithin", { offset, error: format.duration(clock.error_seconds) });
  const word = t(`agents.clock.${standing}`);
  if (long) {
    return (
      <>
        {within} <Mark status={clockMarks[standing]}>{word}</Mark>
      </>
    );
  }
  if (standing !== "wrong") return <span title={`${within} · ${word}`}>{offset}</span>;
  return (
    <span title={`${within} · ${word}`}>
      <Mark status="warning">{offset}</Mark>
    </span>
  );
}

/** Labels as small tags; the whole list is on hover. */
export function LabelTags({ labels }: { labels: Readonly<Record<string, string>> }) {
  const entries = Object.entries(labels).sort(([a], [b]) => a.localeCompare(b));
  if (entries.length === 0) return "–";
  const text = entries.map(([name, value]) => `${name}=${value}`);
  return (
    <span className={styles.tags} title={text.join("\n")}>
      {text.map((one) => (
        <span key={one} className={styles.tag}>
          {one}
        </span>
      ))}
    </span>
  );
}
