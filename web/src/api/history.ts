/** Questions about what is stored: what flows carried over days, series, and the room that it takes. */
import { keepPreviousData, queryOptions } from "@tanstack/react-query";
import { api, dataOf } from "./client";
import type { operations } from "./schema";

export type ExploreQuestion = NonNullable<operations["explore_history"]["parameters"]["query"]>;
export type ChartQuestion = NonNullable<operations["get_chart"]["parameters"]["query"]>;
export type SeriesQuestion = NonNullable<operations["list_series"]["parameters"]["query"]>;
export type CompletionQuestion = NonNullable<operations["complete_series"]["parameters"]["query"]>;

export function exploreQuery(question: ExploreQuestion) {
  return queryOptions({
    queryKey: ["history", "explore", question],
    queryFn: ({ signal }) => dataOf(api.GET("/api/v1/history/explore", { params: { query: question }, signal })),
    placeholderData: keepPreviousData,
  });
}

export function chartQuery(question: ChartQuestion) {
  return queryOptions({
    queryKey: ["history", "chart", question],
    queryFn: ({ signal }) => dataOf(api.GET("/api/v1/history/chart", { params: { query: question }, signal })),
    placeholderData: keepPreviousData,
  });
}

export type HistoryEventsQuestion = NonNullable<operations["list_history_events"]["parameters"]["query"]>;

export function historyEventsQuery(question: HistoryEventsQuestion) {
  return queryOptions({
    queryKey: ["history", "events", question],
    queryFn: ({ signal }) => dataOf(api.GET("/api/v1/history/events", { params: { query: question }, signal })),
    placeholderData: keepPreviousData,
  });
}

export function seriesQuery(question: SeriesQuestion) {
  return queryOptions({
    queryKey: ["history", "series", question],
    queryFn: ({ signal }) => dataOf(api.GET("/api/v1/history/series", { params: { query: question }, signal })),
    placeholderData: keepPreviousData,
  });
}

export function completionQuery(question: CompletionQuestion) {
  return queryOptions({
    queryKey: ["history", "complete", question],
    queryFn: ({ signal }) =>
      dataOf(api.GET("/api/v1/history/series/complete", { params: { query: question }, signal })),
    placeholderData: keepPreviousData,
    staleTime: 30_000,
  });
}

export const storageQuery = queryOptions({
  queryKey: ["storage"],
  queryFn: ({ signal }) => dataOf(api.GET("/api/v1/storage", { signal })),
  refetchInterval: 10_000,
});
