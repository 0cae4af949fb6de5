/** Questions about agents, their enrolment and what they tell of their hosts. */
import { keepPreviousData, queryOptions } from "@tanstack/react-query";
import { api, dataOf, done } from "./client";
import type { ListQuestion } from "./people";
import type {
  Agent,
  AgentInformation,
  AgentPatch,
  EnrolmentTokenCreate,
  EnrolmentTokenMade,
  NetworkInformation,
  operations,
  SystemInformation,
} from "./schema";
import { ifMatch, taggedOf } from "./tagged";

export type AgentsQuestion = NonNullable<operations["list_agents"]["parameters"]["query"]>;

/** Milliseconds after which agents are asked for again. */
export const agentsRefresh = 5000;
/** While somebody waits for a new one. */
export const arrivalRefresh = 1500;
/** Names are looked up in it. */
export const largestPage = 500;

export function agentsQuery(question: AgentsQuestion) {
  return queryOptions({
    queryKey: ["agents", "list", question],
    queryFn: ({ signal }) => dataOf(api.GET("/api/v1/agents", { params: { query: question }, signal })),
    placeholderData: keepPreviousData,
  });
}

/** Pages that are read at most: a workspace has no more agents than they hold. */
const mostPages = 10;

/** All agents, for names and for choosing. */
export const allAgentsQuery = queryOptions({
  queryKey: ["agents", "all"],
  queryFn: async ({ signal }) => {
    const items: Agent[] = [];
    let cursor: string | undefined;
    for (let page = 0; page < mostPages; page += 1) {
      const query = { limit: largestPage, ...(cursor !== undefined && { cursor }) };
      const got = await dataOf(api.GET("/api/v1/agents", { params: { query }, signal }));
      items.push(...got.items);
      cursor = got.next_cursor ?? undefined;
      if (cursor === undefined) break;
    }
    return { items };
  },
  staleTime: 30_000,
});

export function agentQuery(agent: string) {
  return queryOptions({
    queryKey: ["agents", "one", agent],
    queryFn: ({ signal }) => taggedOf(api.GET("/api/v1/agents/{agent}", { params: { path: { agent } }, signal })),
    staleTime: 0,
  });
}

/** With the details as results of the kinds `system` and `network` have them; the document only says that they are objects. */
export type HostInformation = Omit<AgentInformation, "system" | "network"> & {
  system?: SystemInformation | null;
  network?: NetworkInformation | null;
};

export function agentInformationQuery(agent: string) {
  return queryOptions({
    queryKey: ["agents", "information", agent],
    queryFn: async ({ signal }) => {
      const request = api.GET("/api/v1/agents/{agent}/information", { params: { path: { agent } }, signal });
      return (await dataOf(request)) as HostInformation;
    },
    staleTime: 0,
  });
}

export function enrolmentTokensQuery(question: Omit<ListQuestion, "search">) {
  return queryOptions({
    queryKey: ["agents", "tokens", question],
    queryFn: ({ signal }) => dataOf(api.GET("/api/v1/agent-tokens", { params: { query: question }, signal })),
    placeholderData: keepPreviousData,
  });
}

/** A token for one new agent; its secret is shown once. */
export function createEnrolmentToken(body: Partial<EnrolmentTokenCreate>): Promise<EnrolmentTokenMade> {
  return dataOf(api.POST("/api/v1/agent-tokens", { body }));
}

export function revokeEnrolmentToken(token: string): Promise<void> {
  return done(api.DELETE("/api/v1/agent-tokens/{token}", { params: { path: { token } } }));
}

/** Changes the version that was read, so that nobody's change is lost. */
export function changeAgent(agent: string, tag: string, body: AgentPatch): Promise<Agent> {
  return dataOf(api.PATCH("/api/v1/agents/{agent}", { params: { path: { agent } }, body, ...ifMatch(tag) }));
}

export function deleteAgent(agent: string, tag: string): Promise<void> {
  return done(api.DELETE("/api/v1/agents/{agent}", { params: { path: { agent } }, ...ifMatch(tag) }));
}

/** Ends its session; it reconnects by itself. */
export function kickAgent(agent: string): Promise<void> {
  return done(api.POST("/api/v1/agents/{agent}/kick", { params: { path: { agent } } }));
}
