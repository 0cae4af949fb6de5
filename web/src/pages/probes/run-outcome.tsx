/** What a run on demand gave, beside the form that asked for it. */
import type { Ran } from "~/api/probes";
import type { KindDescription, ProbeDraft } from "~/api/schema";
import { useT } from "~/i18n";
import { useFormat } from "~/prefs/use-format";
import { Hint, Section } from "~/ui/page";
import { longestRun } from "./form-state";
import styles from "./probes.module.css";
import { RunsOutcome } from "./runs-outcome";

type RunOutcomeProps = {
  runs: readonly Ran[] | undefined;
  pending: boolean;
  draft: ProbeDraft;
  kind: KindDescription;
};

export function RunOutcome({ runs, pending, draft, kind }: RunOutcomeProps) {
  const t = useT();
  const format = useFormat();
  return (
    <div className={styles.outcome} aria-live="polite" aria-busy={pending}>
      <Section title={t("probes.trial")}>
        {pending ? (
          <p>{t("probes.running", { duration: format.duration(longestRun(draft, kind)) })}</p>
        ) : runs === undefined ? (
          <Hint>{t("probes.trialText")}</Hint>
        ) : (
          <RunsOutcome runs={runs} />
        )}
      </Section>
    </div>
  );
}
