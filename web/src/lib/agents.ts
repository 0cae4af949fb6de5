/** What is the same of agents in every workspace. */
import type { ProbeKind } from "~/api/schema";

/** The server's own agent always has this id; it measures when a probe names no agent. */
export const ownAgent = "0000000000000001";

/** How an agent is written as a target, and as the host of what a probe to it expands to. */
const id = /^[0-9a-f]{16}$/;
const host = /^([0-9a-f]{16})\.netwatch\.internal(:\d+)?$/;

/** Kinds whose targets may be written as ids of agents. */
const measuring: readonly ProbeKind[] = ["agent", "throughput"];

/** The agent that a target names, if it names one. */
export function agentIn(kind: ProbeKind, target: string): string | undefined {
  return measuring.includes(kind) && id.test(target) ? target : host.exec(target)?.[1];
}
