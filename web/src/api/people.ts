/** Questions about people and access, as options for react-query; lists are cut into pages by the server. */
import { keepPreviousData, queryOptions } from "@tanstack/react-query";
import { api, dataOf } from "./client";
import type { operations } from "./schema";
import { taggedOf } from "./tagged";

/** Which page of a list, and which text is searched for. */
export type ListQuestion = { limit?: number; cursor?: string; search?: string };
export type AuditQuestion = NonNullable<operations["list_audit"]["parameters"]["query"]>;

export const signInOptionsQuery = queryOptions({
  queryKey: ["sign-in"],
  queryFn: ({ signal }) => dataOf(api.GET("/api/v1/sign-in", { signal })),
});

export const accountQuery = queryOptions({
  queryKey: ["account"],
  queryFn: ({ signal }) => dataOf(api.GET("/api/v1/account", { signal })),
});

export const accountSessionsQuery = queryOptions({
  queryKey: ["account", "sessions"],
  queryFn: ({ signal }) => dataOf(api.GET("/api/v1/account/sessions", { signal })),
});

export function membersQuery(question: ListQuestion) {
  return queryOptions({
    queryKey: ["members", question],
    queryFn: ({ signal }) => dataOf(api.GET("/api/v1/members", { params: { query: question }, signal })),
    placeholderData: keepPreviousData,
  });
}

export function memberQuery(user: string) {
  return queryOptions({
    queryKey: ["member", user],
    queryFn: ({ signal }) => taggedOf(api.GET("/api/v1/members/{user}", { params: { path: { user } }, signal })),
    staleTime: 0,
  });
}

export function invitationsQuery(question: Omit<ListQuestion, "search">) {
  return queryOptions({
    queryKey: ["invitations", question],
    queryFn: ({ signal }) => dataOf(api.GET("/api/v1/invitations", { params: { query: question }, signal })),
    placeholderData: keepPreviousData,
  });
}

export const rolesQuery = queryOptions({
  queryKey: ["roles"],
  queryFn: ({ signal }) => dataOf(api.GET("/api/v1/roles", { signal })),
});

export function roleQuery(role: string) {
  return queryOptions({
    queryKey: ["role", role],
    queryFn: ({ signal }) => taggedOf(api.GET("/api/v1/roles/{role}", { params: { path: { role } }, signal })),
    staleTime: 0,
  });
}

export const permissionsQuery = queryOptions({
  queryKey: ["permissions"],
  queryFn: ({ signal }) => dataOf(api.GET("/api/v1/permissions", { signal })),
  staleTime: Number.POSITIVE_INFINITY,
});

export function tokensQuery(question: ListQuestion) {
  return queryOptions({
    queryKey: ["tokens", question],
    queryFn: ({ signal }) => dataOf(api.GET("/api/v1/tokens", { params: { query: question }, signal })),
    placeholderData: keepPreviousData,
  });
}

export function tokenQuery(token: string) {
  return queryOptions({
    queryKey: ["token", token],
    queryFn: ({ signal }) => taggedOf(api.GET("/api/v1/tokens/{token}", { params: { path: { token } }, signal })),
    staleTime: 0,
  });
}

/** The log of the open workspace, or of the whole site. */
export function auditQuery(question: AuditQuestion, site: boolean) {
  return queryOptions({
    queryKey: ["audit", site, question],
    queryFn: ({ signal }) =>
      site
        ? dataOf(api.GET("/api/v1/site/audit", { params: { query: question }, signal }))
        : dataOf(api.GET("/api/v1/audit", { params: { query: question }, signal })),
    placeholderData: keepPreviousData,
  });
}

export const auditVerificationQuery = queryOptions({
  queryKey: ["audit", "verification"],
  queryFn: ({ signal }) => dataOf(api.GET("/api/v1/site/audit/verification", { signal })),
});

export const workspaceQuery = queryOptions({
  queryKey: ["workspace"],
  queryFn: ({ signal }) => taggedOf(api.GET("/api/v1/workspace", { signal })),
});

export function workspacesQuery(question: ListQuestion) {
  return queryOptions({
    queryKey: ["workspaces", question],
    queryFn: ({ signal }) => dataOf(api.GET("/api/v1/workspaces", { params: { query: question }, signal })),
    placeholderData: keepPreviousData,
  });
}

export function usersQuery(question: ListQuestion) {
  return queryOptions({
    queryKey: ["users", question],
    queryFn: ({ signal }) => dataOf(api.GET("/api/v1/users", { params: { query: question }, signal })),
    placeholderData: keepPreviousData,
  });
}

export function userQuery(user: string) {
  return queryOptions({
    queryKey: ["user", user],
    queryFn: ({ signal }) => taggedOf(api.GET("/api/v1/users/{user}", { params: { path: { user } }, signal })),
    staleTime: 0,
  });
}

export function userSessionsQuery(user: string) {
  return queryOptions({
    queryKey: ["user", user, "sessions"],
    queryFn: ({ signal }) => dataOf(api.GET("/api/v1/users/{user}/sessions", { params: { path: { user } }, signal })),
  });
}

export function membershipsQuery(user: string) {
  return queryOptions({
    queryKey: ["user", user, "memberships"],
    queryFn: ({ signal }) =>
      dataOf(api.GET("/api/v1/users/{user}/memberships", { params: { path: { user } }, signal })),
  });
}
