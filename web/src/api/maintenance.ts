/** Windows of maintenance: asked for, made, changed, deleted. */
import { keepPreviousData, queryOptions } from "@tanstack/react-query";
import { api, dataOf, done } from "./client";
import type { Maintenance, MaintenanceCreate, MaintenancePatch, operations } from "./schema";
import { ifMatch, taggedOf } from "./tagged";

export type MaintenanceQuestion = NonNullable<operations["list_maintenance"]["parameters"]["query"]>;

export function maintenanceQuery(question: MaintenanceQuestion) {
  return queryOptions({
    queryKey: ["maintenance", "list", question],
    queryFn: ({ signal }) => dataOf(api.GET("/api/v1/maintenance", { params: { query: question }, signal })),
    placeholderData: keepPreviousData,
  });
}

export function windowQuery(maintenance: string) {
  return queryOptions({
    queryKey: ["maintenance", "one", maintenance],
    queryFn: ({ signal }) =>
      taggedOf(api.GET("/api/v1/maintenance/{maintenance}", { params: { path: { maintenance } }, signal })),
    staleTime: 0,
  });
}

export function createWindow(body: MaintenanceCreate): Promise<Maintenance> {
  return dataOf(api.POST("/api/v1/maintenance", { body }));
}

/** Changes the version that was read, so that nobody's change is lost. */
export function changeWindow(maintenance: string, tag: string, body: MaintenancePatch): Promise<Maintenance> {
  const params = { path: { maintenance } };
  return dataOf(api.PATCH("/api/v1/maintenance/{maintenance}", { params, body, ...ifMatch(tag) }));
}

export function deleteWindow(maintenance: string, revision: number): Promise<void> {
  const params = { path: { maintenance } };
  return done(api.DELETE("/api/v1/maintenance/{maintenance}", { params, ...ifMatch(`"maintenance-${revision}"`) }));
}
