/** Questions about probes: what is measured, what came out, and how every agent reaches every target. */
import { keepPreviousData, queryOptions } from "@tanstack/react-query";
import { ownAgent } from "~/lib/agents";
import { api, dataOf, done } from "./client";
import type {
  operations,
  Probe,
  ProbeCreate,
  ProbeDraft,
  ProbeNetworks,
  ProbeNetworksPut,
  ProbePatch,
  ProbeRun,
} from "./schema";
import { ifMatch, taggedOf } from "./tagged";

export type ProbesQuestion = NonNullable<operations["list_probes"]["parameters"]["query"]>;
export type ResultsQuestion = NonNullable<operations["list_probe_results"]["parameters"]["query"]>;
export type VoiceQuestion = NonNullable<operations["list_probe_voice"]["parameters"]["query"]>;

export type MapQuestion = NonNullable<operations["get_network_map"]["parameters"]["query"]>;

/** Milliseconds after which the state of probes is asked for again. */
export const probesRefresh = 5000;

export function probesQuery(question: ProbesQuestion) {
  return queryOptions({
    queryKey: ["probes", "list", question],
    queryFn: ({ signal }) => dataOf(api.GET("/api/v1/probes", { params: { query: question }, signal })),
    placeholderData: keepPreviousData,
  });
}

export function probeQuery(probe: string) {
  return queryOptions({
    queryKey: ["probes", "one", probe],
    queryFn: ({ signal }) => taggedOf(api.GET("/api/v1/probes/{probe}", { params: { path: { probe } }, signal })),
    staleTime: 0,
  });
}

export function resultsQuery(probe: string, question: ResultsQuestion) {
  return queryOptions({
    queryKey: ["probes", "results", probe, question],
    queryFn: ({ signal }) =>
      dataOf(api.GET("/api/v1/probes/{probe}/results", { params: { path: { probe }, query: question }, signal })),
    placeholderData: keepPreviousData,
  });
}

/** Which networks probes may measure. */
export const probeNetworksQuery = queryOptions({
  queryKey: ["probe-networks"],
  queryFn: ({ signal }) => taggedOf(api.GET("/api/v1/probe-networks", { signal })),
  staleTime: 0,
});

export function putProbeNetworks(body: ProbeNetworksPut, tag: string): Promise<ProbeNetworks> {
  return dataOf(api.PUT("/api/v1/probe-networks", { body, ...ifMatch(tag) }));
}

/** They are those of the server's version: they do not change while the app is open. */
export const kindsQuery = queryOptions({
  queryKey: ["probe-kinds"],
  queryFn: ({ signal }) => dataOf(api.GET("/api/v1/probe-kinds", { signal })),
  staleTime: Number.POSITIVE_INFINITY,
});

export const matrixQuery = queryOptions({
  queryKey: ["probes", "matrix"],
  queryFn: ({ signal }) => dataOf(api.GET("/api/v1/probe-matrix", { signal })),
});

/** How calls would sound, the worst first. */
export function voiceQuery(question: VoiceQuestion) {
  return queryOptions({
    queryKey: ["probes", "voice", question],
    queryFn: ({ signal }) => dataOf(api.GET("/api/v1/probe-voice", { params: { query: question }, signal })),
    placeholderData: keepPreviousData,
  });
}

export function mapQuery(question: MapQuestion) {
  return queryOptions({
    queryKey: ["probes", "map", question],
    queryFn: ({ signal }) => dataOf(api.GET("/api/v1/network-map", { params: { query: question }, signal })),
    placeholderData: keepPreviousData,
  });
}

export function createProbe(body: ProbeCreate): Promise<Probe> {
  return dataOf(api.POST("/api/v1/probes", { body }));
}

/** Changes the version that was read, so that nobody's change is lost. */
export function changeProbe(probe: string, tag: string, body: ProbePatch): Promise<Probe> {
  return dataOf(api.PATCH("/api/v1/probes/{probe}", { params: { path: { probe } }, body, ...ifMatch(tag) }));
}

export function deleteProbe(probe: string, tag: string): Promise<void> {
  return done(api.DELETE("/api/v1/probes/{probe}", { params: { path: { probe } }, ...ifMatch(tag) }));
}

/** What a run on demand gave at an agent: a result, or why there is none. */
export type Ran = { agent: string; result?: ProbeRun; error?: unknown };

/** Measures once, now, at each of these agents; nobody keeps the results. A saved probe lends its secrets. An agent that fails does not keep the others from answering. */
export function runProbeFrom(spec: ProbeDraft, agents: readonly string[], probe: string | null = null): Promise<Ran[]> {
  const bodyOf = (agent: string) => ({ spec, probe, agents: agent === ownAgent ? [] : [agent] });
  return Promise.all(
    agents.map((agent) =>
      dataOf(api.POST("/api/v1/probes/run", { body: bodyOf(agent) })).then(
        (result): Ran => ({ agent, result }),
        (error: unknown): Ran => ({ agent, error }),
      ),
    ),
  );
}

export type UptimesQuestion = NonNullable<operations["list_uptime"]["parameters"]["query"]>;
export type UptimeQuestion = NonNullable<operations["get_probe_uptime"]["parameters"]["query"]>;
export type HeatmapQuestion = NonNullable<operations["get_probe_heatmap"]["parameters"]["query"]>;

export function uptimesQuery(question: UptimesQuestion) {
  return queryOptions({
    queryKey: ["probes", "uptimes", question],
    queryFn: ({ signal }) =>
      dataOf(api.GET("/api/v1/uptime", { params: { query: { ...question, format: "json" } }, signal })),
    placeholderData: keepPreviousData,
  });
}

export function uptimeQuery(probe: string, question: UptimeQuestion) {
  return queryOptions({
    queryKey: ["probes", "uptime", probe, question],
    queryFn: ({ signal }) =>
      dataOf(api.GET("/api/v1/probes/{probe}/uptime", { params: { path: { probe }, query: question }, signal })),
    placeholderData: keepPreviousData,
  });
}

export function heatmapQuery(probe: string, question: HeatmapQuestion) {
  return queryOptions({
    queryKey: ["probes", "heatmap", probe, question],
    queryFn: ({ signal }) =>
      dataOf(api.GET("/api/v1/probes/{probe}/heatmap", { params: { path: { probe }, query: question }, signal })),
    placeholderData: keepPreviousData,
  });
}
