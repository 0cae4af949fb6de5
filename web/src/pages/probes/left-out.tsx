/** Agents that were to run a probe and leave it out, because their versions cannot keep it within the networks of the workspace. */
import { Link, useSearch } from "@tanstack/react-router";
import type { Probe } from "~/api/schema";
import type { AppSearch } from "~/app/search";
import { useT } from "~/i18n";
import { paths } from "~/lib/paths";
import { Mark } from "~/ui/controls";
import { useAgentName } from "../agents/use-agent-name";
import styles from "./probes.module.css";

/** Names that are written out. */
const mostNames = 6;

type LeftOutProps = { agents: Probe["left_out"] };

/** A word beside how the probe stands; who it is when it is pointed at. */
export function LeftOutTag({ agents }: LeftOutProps) {
  const t = useT();
  const nameOf = useAgentName();
  if (agents.length === 0) return null;
  const names = agents.slice(0, mostNames).map(nameOf).join(", ");
  return (
    <span
      className={styles.leftOut}
      title={`${t("probes.leftOutBy", { n: agents.length, names })} ${t("probes.leftOutText")}`}
    >
      {t("probes.leftOut")}
    </span>
  );
}

/** On the page of the probe: why there is no result, and what to do. */
export function LeftOut({ agents }: LeftOutProps) {
  const t = useT();
  const nameOf = useAgentName();
  const search = useSearch({ strict: false }) as AppSearch;
  if (agents.length === 0) return null;
  const more = agents.length - mostNames;
  return (
    <div role="note" className={styles.leftOutNote}>
      <Mark status="warning">{t("probes.leftOut")}</Mark>
      <p>{t("probes.leftOutText")}</p>
      <ul>
        {agents.slice(0, mostNames).map((agent) => (
          <li key={agent}>
            <Link {...paths.agent(agent, search)}>{nameOf(agent)}</Link>
          </li>
        ))}
        {more > 0 && <li>{t("probe.more", { n: more })}</li>}
      </ul>
    </div>
  );
}
