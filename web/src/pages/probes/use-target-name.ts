/** What the target of a probe is called: another agent by its name, everything else as it is written. */
import type { Probe } from "~/api/schema";
import { useAgentName } from "../agents/use-agent-name";

export function useTargetName(): (spec: Pick<Probe["spec"], "kind" | "target">) => string {
  const nameOf = useAgentName();
  return ({ kind, target }) => (kind === "agent" ? nameOf(target) : target);
}
