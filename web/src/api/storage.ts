/** How much is kept, and what address ranges are called. */
import { keepPreviousData, queryOptions } from "@tanstack/react-query";
import { api, dataOf } from "./client";
import type { ListQuestion } from "./people";
import type { AddressRangesReport, StorageRetention, StorageRetentionPut } from "./schema";
import { ifMatch, taggedOf } from "./tagged";

export const retentionQuery = queryOptions({
  queryKey: ["storage", "retention"],
  queryFn: ({ signal }) => taggedOf(api.GET("/api/v1/storage/retention", { signal })),
  staleTime: 0,
});

export function putRetention(body: StorageRetentionPut, tag: string): Promise<StorageRetention> {
  return dataOf(api.PUT("/api/v1/storage/retention", { body, ...ifMatch(tag) }));
}

export function rangesQuery(question: ListQuestion) {
  return queryOptions({
    queryKey: ["address-ranges", question],
    queryFn: async ({ signal }) => {
      const asked = api.GET("/api/v1/address-ranges", { params: { query: question }, signal });
      const { value, tag } = await taggedOf(asked);
      return { ...value, tag };
    },
    placeholderData: keepPreviousData,
  });
}

/** Replaces all ranges by those of a file. */
export function putRanges(csv: string, tag: string): Promise<AddressRangesReport> {
  return dataOf(api.PUT("/api/v1/address-ranges", { body: { csv }, ...ifMatch(tag) }));
}
