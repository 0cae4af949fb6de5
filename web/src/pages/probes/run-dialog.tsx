/** A probe once, now, from the agents that are ticked: each answers by itself, and nobody keeps it. */
import { useMutation, useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { allAgentsQuery } from "~/api/agents";
import { runProbeFrom } from "~/api/probes";
import type { KindDescription, Probe } from "~/api/schema";
import { useT } from "~/i18n";
import { useFormat } from "~/prefs/use-format";
import { useMay } from "~/session/session";
import { Button } from "~/ui/controls";
import { Dialog } from "~/ui/dialog";
import dialog from "~/ui/dialog.module.css";
import { Hint } from "~/ui/page";
import { AgentChecks } from "./agent-checks";
import { choiceOf, mostRuns, runnersOf } from "./agents-choice";
import { draftOf, formOf, longestRun } from "./form-state";
import { RunsOutcome } from "./runs-outcome";

type RunDialogProps = { probe: Probe; kind: KindDescription; onClose: () => void };

export function RunDialog({ probe, kind, onClose }: RunDialogProps) {
  const t = useT();
  const format = useFormat();
  const may = useMay();
  const { data } = useQuery({ ...allAgentsQuery, enabled: may("agents.read") });
  const [ticked, setTicked] = useState<string[]>();
  const agents = (data?.items ?? []).filter(({ id, state }) => state === "online" && id !== probe.spec.target);
  const from = ticked ?? runnersOf(choiceOf(probe.agents), agents);
  const draft = draftOf(formOf(probe, kind), kind);
  const run = useMutation({ mutationFn: () => runProbeFrom(draft, from, probe.id) });
  const title = t("probe.runTitle", { name: probe.name });
  return (
    <Dialog label={title} onClose={onClose}>
      <div className={dialog.form}>
        <h2>{title}</h2>
        {agents.length > 1 && (
          <AgentChecks label={t("probe.runFrom")} agents={agents} chosen={from} onChange={setTicked} />
        )}
        {from.length > mostRuns && <Hint>{t("probe.runMost", { n: mostRuns })}</Hint>}
        <div aria-live="polite">
          {run.isPending && <p>{t("probes.running", { duration: format.duration(longestRun(draft, kind)) })}</p>}
          {run.isIdle && <p>{t("probe.runText")}</p>}
          {run.data !== undefined && <RunsOutcome runs={run.data} />}
        </div>
        <div className={dialog.foot}>
          <Button onClick={onClose}>{t("action.close")}</Button>
          <Button
            look="primary"
            icon="play"
            disabled={run.isPending || from.length === 0 || from.length > mostRuns}
            onClick={() => run.mutate()}
          >
            {t("probes.runNow")}
          </Button>
        </div>
      </div>
    </Dialog>
  );
}
