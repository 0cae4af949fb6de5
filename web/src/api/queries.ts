/** Every question that the app asks the server, as options for react-query; the key of a question is what it depends on. */
import { keepPreviousData, queryOptions } from "@tanstack/react-query";
import type { RangeQuery } from "~/time/range";
import { api, dataOf } from "./client";
import type { Dimension, FlowSort, operations, TopSort } from "./schema";

type FlowsParameters = NonNullable<operations["list_flows"]["parameters"]["query"]>;
export type FlowStatus = NonNullable<FlowsParameters["status"]>;
export type SortOrder = NonNullable<FlowsParameters["order"]>;

export type FlowsQuestion = RangeQuery & {
  filter?: string;
  status?: FlowStatus;
  sort?: FlowSort;
  order?: SortOrder;
  limit?: number;
  cursor?: string;
};
export type TopQuestion = RangeQuery & { by: Dimension; filter?: string; limit?: number; sort?: TopSort };
export type RatesQuestion = RangeQuery & {
  by: Dimension;
  filter?: string;
  limit?: number;
  interface?: string;
  step?: number;
};

export const sessionQuery = queryOptions({
  queryKey: ["session"],
  queryFn: ({ signal }) => dataOf(api.GET("/api/v1/session", { signal })),
  staleTime: 60_000,
});

export const interfacesQuery = queryOptions({
  queryKey: ["interfaces"],
  queryFn: ({ signal }) => dataOf(api.GET("/api/v1/interfaces", { signal })),
  refetchInterval: 1000,
});

export const statisticsQuery = queryOptions({
  queryKey: ["statistics"],
  queryFn: ({ signal }) => dataOf(api.GET("/api/v1/statistics", { signal })),
});

export const fieldsQuery = queryOptions({
  queryKey: ["filter", "fields"],
  queryFn: ({ signal }) => dataOf(api.GET("/api/v1/filter/fields", { signal })),
  staleTime: Number.POSITIVE_INFINITY,
});

export function filterQuery(filter: string) {
  return queryOptions({
    queryKey: ["filter", "check", filter],
    queryFn: ({ signal }) => dataOf(api.GET("/api/v1/filter/check", { params: { query: { filter } }, signal })),
    staleTime: Number.POSITIVE_INFINITY,
    placeholderData: keepPreviousData,
  });
}

export function topQuery(question: TopQuestion) {
  return queryOptions({
    queryKey: ["top", question],
    queryFn: ({ signal }) => dataOf(api.GET("/api/v1/traffic/top", { params: { query: question }, signal })),
    placeholderData: keepPreviousData,
  });
}

export function ratesQuery(question: RatesQuestion) {
  return queryOptions({
    queryKey: ["rates", question],
    queryFn: ({ signal }) => dataOf(api.GET("/api/v1/traffic/rates", { params: { query: question }, signal })),
  });
}

export function flowsQuery(question: FlowsQuestion) {
  return queryOptions({
    queryKey: ["flows", question],
    queryFn: ({ signal }) => dataOf(api.GET("/api/v1/flows", { params: { query: question }, signal })),
    placeholderData: keepPreviousData,
  });
}

export function flowQuery(id: string) {
  return queryOptions({
    queryKey: ["flow", id],
    queryFn: ({ signal }) => dataOf(api.GET("/api/v1/flows/{id}", { params: { path: { id } }, signal })),
  });
}

export function hostQuery(address: string, range: RangeQuery) {
  return queryOptions({
    queryKey: ["host", address, range],
    queryFn: ({ signal }) =>
      dataOf(api.GET("/api/v1/hosts/{address}", { params: { path: { address }, query: range }, signal })),
    placeholderData: keepPreviousData,
  });
}

export function eventsQuery(question: { limit?: number; cursor?: string }) {
  return queryOptions({
    queryKey: ["events", question],
    queryFn: ({ signal }) => dataOf(api.GET("/api/v1/events", { params: { query: question }, signal })),
    placeholderData: keepPreviousData,
  });
}
