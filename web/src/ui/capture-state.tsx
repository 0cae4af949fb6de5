/** Whether frames arrive from an interface or file. */
import type { CaptureState as State } from "~/api/schema";
import { useT } from "~/i18n";
import { Mark, type Status } from "./controls";

const statuses: Readonly<Record<State, Status>> = {
  capturing: "ok",
  interrupted: "warning",
  denied: "critical",
  ended: "silent",
};

export function CaptureState({ state }: { state: State }) {
  const t = useT();
  return <Mark status={statuses[state]}>{t(`capture.${state}`)}</Mark>;
}
