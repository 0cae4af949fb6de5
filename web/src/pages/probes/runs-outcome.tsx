/** What runs on demand gave: one result, or one after the other with the names of their agents. */
import type { Ran } from "~/api/probes";
import { useT } from "~/i18n";
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
              {many ? (
                <details>
                  <summary>{t("probe.details")}</summary>
                  <ResultDetails result={result} />
                </details>
              ) : (
                <ResultDetails result={result} />
              )}
            </>
          )}
        </li>
      ))}
    </ul>
  );
}
