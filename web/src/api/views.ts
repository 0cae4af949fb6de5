/** Saved views: a page and what it was asked, under a name. */
import { queryOptions } from "@tanstack/react-query";
import { api, dataOf, done } from "./client";
import type { View, ViewCreate, ViewPatch } from "./schema";
import { ifMatch, taggedOf } from "./tagged";

const key = ["views"] as const;

/** Views that are asked for at most; those after them are found by their address. */
const most = 500;

/** One's own and those that are shared, by name. */
export const viewsQuery = queryOptions({
  queryKey: key,
  queryFn: async ({ signal }) => {
    const answer = api.GET("/api/v1/views", { params: { query: { limit: most } }, signal });
    return (await dataOf(answer)).items;
  },
  staleTime: 30_000,
});

export function viewQuery(view: string) {
  return queryOptions({
    queryKey: [...key, view],
    queryFn: ({ signal }) => taggedOf(api.GET("/api/v1/views/{view}", { params: { path: { view } }, signal })),
    staleTime: 0,
  });
}

export function createView(body: ViewCreate): Promise<View> {
  return dataOf(api.POST("/api/v1/views", { body }));
}

/** Changes the version that was read, so that nobody's change is lost. */
export function changeView({ id, revision }: View, body: ViewPatch): Promise<View> {
  return dataOf(
    api.PATCH("/api/v1/views/{view}", { params: { path: { view: id } }, body, ...ifMatch(tagOf(revision)) }),
  );
}

export function deleteView({ id, revision }: View): Promise<void> {
  return done(api.DELETE("/api/v1/views/{view}", { params: { path: { view: id } }, ...ifMatch(tagOf(revision)) }));
}

const tagOf = (revision: number) => `"view-${revision}"`;
