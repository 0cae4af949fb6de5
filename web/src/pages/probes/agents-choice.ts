/** Which agents run a probe, as the form has it: one of four ways to say it. Pure. */
import type { Agent, AgentSelector } from "~/api/schema";
import { ownAgent } from "~/lib/agents";
import { labelsText, matches, parseLabels } from "../agents/labels";

export const agentModes = ["own", "all", "chosen", "labels"] as const;
export type AgentMode = (typeof agentModes)[number];

export type AgentsChoice = {
  mode: AgentMode;
  ids: readonly string[];
  /** As it is typed. Beside chosen agents, too: a file or the API can say both. */
  labels: string;
};

export const ownChoice: AgentsChoice = { mode: "own", ids: [], labels: "" };

export function choiceOf({ all = false, ids = [], labels = {} }: AgentSelector): AgentsChoice {
  const mode = all ? "all" : ids.length > 0 ? "chosen" : Object.keys(labels).length > 0 ? "labels" : "own";
  return { mode, ids, labels: labelsText(labels) };
}

export function selectorOf({ mode, ids, labels }: AgentsChoice): Required<AgentSelector> {
  const said = mode === "chosen" || mode === "labels" ? parseLabels(labels).labels : {};
  return { all: mode === "all", ids: mode === "chosen" ? [...ids] : [], labels: said };
}

/** What is sent of a choice: nothing when it says the same as before. */
export function changedAgents(choice: AgentsChoice, before: AgentsChoice): { agents?: AgentSelector } {
  const [now, then] = [selectorOf(choice), selectorOf(before)];
  return JSON.stringify(now) === JSON.stringify(then) ? {} : { agents: now };
}

/** Why it cannot be sent: it chooses nobody, or a word is no label. */
export function choiceFault(choice: AgentsChoice): "nobody" | "labels" | undefined {
  const { mode, ids, labels } = choice;
  if (mode === "own" || mode === "all") return undefined;
  const parsed = parseLabels(labels);
  if (parsed.refused.length > 0) return "labels";
  const some = (mode === "chosen" && ids.length > 0) || Object.keys(parsed.labels).length > 0;
  return some ? undefined : "nobody";
}

/** Those of the known agents that it chooses now. */
export function chosenOf(choice: AgentsChoice, agents: readonly Agent[]): Agent[] {
  const { all, ids, labels } = selectorOf(choice);
  return agents.filter(
    (agent) =>
      all ||
      (choice.mode === "own" && agent.id === ownAgent) ||
      ids.includes(agent.id) ||
      matches(labels, agent.labels),
  );
}

/** Agents that a run on demand is made from at most: each answers by itself. */
export const mostRuns = 10;

/** From where a run on demand is made: those that are there now and are not its target; the server's own when nothing is known. */
export function runnersOf(choice: AgentsChoice, agents: readonly Agent[], target?: string): string[] {
  const there = chosenOf(choice, agents).filter(({ id, state }) => state === "online" && id !== target);
  return there.length === 0 ? [ownAgent] : there.slice(0, mostRuns).map(({ id }) => id);
}
