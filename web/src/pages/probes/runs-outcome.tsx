/** What runs on demand gave: one result, or one after the other with the names of their agents; to another agent with all that belongs to it. */
import type { Ran } from "~/api/probes";
import type { ProbeRun, ProbeRunPart } from "~/api/schema";
import { useT } from "~/i18n";
import { agentIn } from "~/lib/agents";
import { Mark } from "~/ui/controls";
import { ProblemBox } from "~/ui/feedback";
import { useAgentName } from "../agents/use-agent-name";
import { ResultDetails, ResultLine } from "./detail/result";
import styles from "./probes.module.css";

export function RunsOutcome({ runs }: { runs: readonly Ran[] }) {
  const t = useT();
  const nameOf = useAgentName();
  const many = runs.length > 1;
  return (
    <ul className={styles.ran} data-read="trial">
      {runs.map(({ agent, result, error }) => (
        <li key={agent}>
          {many && <h3>{nameOf(agent)}</h3>}
          {result === undefined ? (
            <ProblemBox error={error} subject={many ? nameOf(agent) : t("probes.runNow")} />
          ) : (
            <>
              <ResultLine result={result} />
              {many ? <Folded result={result} /> : <ResultDetails result={result} />}
              {result.parts.length > 0 && <Parts run={result} />}
            </>
          )}
        </li>
      ))}
    </ul>
  );
}

function Folded({ result }: { result: NonNullable<ProbeRunPart["result"]> }) {
  const t = useT();
  return (
    <details>
      <summary>{t("probe.details")}</summary>
      <ResultDetails result={result} />
    </details>
  );
}

/** Traces, pings and simulated traffic, there and back. */
function Parts({ run }: { run: ProbeRun }) {
  const t = useT();
  const nameOf = useAgentName();
  const there = agentIn(run.kind, run.target) ?? run.target;
  return (
    <ul className={styles.ran}>
      {run.parts.map(({ agent, kind, result, refused }) => (
        <li key={`${agent} ${kind}`}>
          <h4>
            <span className="mono">{kind}</span>{" "}
            {t("probe.runWay", { from: nameOf(agent), to: nameOf(agent === run.agent ? there : run.agent) })}
          </h4>
          {result == null ? (
            <p className={styles.line}>
              <Mark status="unknown">{t("probe.notRun")}</Mark>
              <span>{refused}</span>
            </p>
          ) : (
            <>
              <ResultLine result={result} />
              <Folded result={result} />
            </>
          )}
        </li>
      ))}
    </ul>
  );
}
