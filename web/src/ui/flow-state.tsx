/** Where a conversation stands, or why its record ended: a shape and a word. */
import type { Flow } from "~/api/schema";
import { type Key, useT } from "~/i18n";
import { Mark, type Status } from "./controls";

const known: Readonly<Record<string, { word: Key; status: Status }>> = {
  active: { word: "state.active", status: "ok" },
  opening: { word: "state.opening", status: "silent" },
  established: { word: "state.established", status: "ok" },
  closing: { word: "state.closing", status: "silent" },
  closed: { word: "state.closed", status: "silent" },
  refused: { word: "state.refused", status: "warning" },
  reset: { word: "state.reset", status: "warning" },
};

const reasons: Readonly<Record<string, Key>> = {
  idle_timeout: "end.idleTimeout",
  active_timeout: "end.activeTimeout",
  end_of_flow: "end.endOfFlow",
  forced_end: "end.forcedEnd",
  lack_of_resources: "end.lackOfResources",
};

export function FlowState({ flow }: { flow: Pick<Flow, "state" | "end_reason"> }) {
  const t = useT();
  const state = known[flow.state];
  const over = flow.end_reason != null && (flow.state === "active" || flow.state === "established");
  if (over) return <Mark status="silent">{t("state.ended")}</Mark>;
  return <Mark status={state?.status ?? "unknown"}>{state === undefined ? flow.state : t(state.word)}</Mark>;
}

/** Why the record ended, in a sentence. */
export function EndReason({ reason }: { reason: string | null | undefined }) {
  const t = useT();
  if (reason == null) return t("end.active");
  const word = reasons[reason];
  return word === undefined ? reason : t(word);
}
