/** Questions about agents, their enrolment and what they tell of their hosts. */
import { keepPreviousData, queryOptions } from "@tanstack/react-query";
import {
  type Agent,
  type AgentInformation,
  type AgentPatch,
  type AgentSelector,
  type AgentState,
  type EnrolmentToken,
  type EnrolmentTokenCreate,
  type EnrolmentTokenMade,
  type ListOf,
  raw,
  type WithAgents,
} from "./agent-types";
import type { ListQuestion } from "./people";
import { RequestError } from "./problem";
import type { Probe } from "./schema";

export type {
  Agent,
  AgentClock,
  AgentCollector,
  AgentInformation,
  AgentLocation,
  AgentPatch,
  AgentSelector,
  AgentSpool,
  AgentState,
  CollectorState,
  EnrolmentToken,
  EnrolmentTokenCreate,
  EnrolmentTokenMade,
  NetworkInformation,
  SystemInformation,
  WithAgents,
} from "./agent-types";

export type AgentsQuestion = ListQuestion & { state?: AgentState };

/** Milliseconds after which agents are asked for again. */
export const agentsRefresh = 5000;
/** While somebody waits for a new one. */
export const arrivalRefresh = 1500;
/** The largest page: names are looked up in it. */
export const largestPage = 500;

export function agentsQuery(question: AgentsQuestion) {
  return queryOptions({
    queryKey: ["agents", "list", question],
    queryFn: async ({ signal }) =>
      (await raw<ListOf<Agent>>("GET", "/api/v1/agents", { query: question, signal })).value,
    placeholderData: keepPreviousData,
  });
}

/** As many agents as one page holds, for names and for choosing. */
export const allAgentsQuery = queryOptions({
  ...agentsQuery({ limit: largestPage }),
  staleTime: 30_000,
});

export function agentQuery(agent: string) {
  return queryOptions({
    queryKey: ["agents", "one", agent],
    queryFn: ({ signal }) => raw<Agent>("GET", `/api/v1/agents/${agent}`, { signal }),
    staleTime: 0,
  });
}

export function agentInformationQuery(agent: string) {
  return queryOptions({
    queryKey: ["agents", "information", agent],
    queryFn: async ({ signal }) =>
      (await raw<AgentInformation>("GET", `/api/v1/agents/${agent}/information`, { signal })).value,
    staleTime: 0,
  });
}

export function enrolmentTokensQuery(question: Omit<ListQuestion, "search">) {
  return queryOptions({
    queryKey: ["agents", "tokens", question],
    queryFn: async ({ signal }) =>
      (await raw<ListOf<EnrolmentToken>>("GET", "/api/v1/agent-tokens", { query: question, signal })).value,
    placeholderData: keepPreviousData,
  });
}

/** A token for one new agent; its secret is shown once. */
export async function createEnrolmentToken(body: EnrolmentTokenCreate): Promise<EnrolmentTokenMade> {
  return (await raw<EnrolmentTokenMade>("POST", "/api/v1/agent-tokens", { body })).value;
}

export async function revokeEnrolmentToken(token: string): Promise<void> {
  await raw("DELETE", `/api/v1/agent-tokens/${token}`);
}

/** Changes the version that was read, so that nobody's change is lost. */
export async function changeAgent(agent: string, tag: string, body: AgentPatch): Promise<Agent> {
  return (await raw<Agent>("PATCH", `/api/v1/agents/${agent}`, { tag, body })).value;
}

export async function deleteAgent(agent: string, tag: string): Promise<void> {
  await raw("DELETE", `/api/v1/agents/${agent}`, { tag });
}

/** Ends its session; it reconnects by itself. */
export async function kickAgent(agent: string): Promise<void> {
  await raw("POST", `/api/v1/agents/${agent}/kick`);
}

/** Whether no agent can be added because the server listens for none. */
export function isNotServed(error: unknown): boolean {
  return error instanceof RequestError && (error.problem?.code as string | undefined) === "agents_not_served";
}

/** Which agents run a probe; nothing said is the server's own. */
export function selectorOfProbe(probe: Pick<Probe, "name">): AgentSelector {
  return (probe as WithAgents).agents ?? {};
}
