/** What the target of a probe is called: another agent by its name, everything else as it is written. */
import type { Probe } from "~/api/schema";
import { agentIn } from "~/lib/agents";
import { useAgentName } from "../agents/use-agent-name";

export function useTargetName(): (spec: Pick<Probe["spec"], "kind" | "target">) => string {
  const nameOf = useAgentName();
  return ({ kind, target }) => {
    const agent = agentIn(kind, target);
    return agent === undefined ? target : nameOf(agent);
  };
}
