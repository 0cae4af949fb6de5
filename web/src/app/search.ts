/**
 * The state of the pages in the URL: every word is a plain text, validated here once for all pages.
 *
 * Words that say the default are left out, so that links stay short and old links keep their meaning.
 */
import type { ProbesQuestion } from "~/api/probes";
import type { FlowStatus, SortOrder } from "~/api/queries";
import type { AgentState, Dimension, FlowSort, HistoryMeasure, SeriesAggregate, UptimePeriod } from "~/api/schema";

export const dimensions = [
  "host",
  "pair",
  "port",
  "application",
  "process",
  "name",
  "vlan",
  "protocol",
  "interface",
  "direction",
] as const satisfies readonly Dimension[];
export const flowSorts = ["bytes", "packets", "duration", "rate", "start"] as const satisfies readonly FlowSort[];
const statuses = ["all", "active", "ended"] as const satisfies readonly FlowStatus[];
const orders = ["desc", "asc"] as const satisfies readonly SortOrder[];
const measures = ["octets", "packets"] as const;
export const explorerCharts = ["stacked", "lines", "grid", "heatmap", "sankey"] as const;
export const explorerUnits = ["octets", "l2_octets", "packets", "flows"] as const satisfies readonly HistoryMeasure[];
export const aggregates = [
  "avg",
  "min",
  "max",
  "sum",
  "rate",
  "p50",
  "p95",
  "p99",
  "count",
  "last",
] as const satisfies readonly SeriesAggregate[];
export const probeViews = ["smoke", "heat", "percentiles", "agents", "phases", "expiry", "ways", "metric"] as const;
export const probeStates = [
  "down",
  "degraded",
  "unknown",
  "up",
  "maintenance",
  "waiting",
  "paused",
] as const satisfies readonly ProbesQuestion["state"][];
export const probeSorts = [
  "name",
  "state",
  "loss",
  "response",
  "kind",
  "target",
] as const satisfies readonly ProbesQuestion["sort"][];
const uptimePeriods = [
  "day",
  "week",
  "month",
  "quarter",
  "year",
  "24h",
  "7d",
  "30d",
  "90d",
] as const satisfies readonly UptimePeriod[];
export const agentStates = [
  "online",
  "stale",
  "offline",
  "unknown",
  "never",
  "disabled",
] as const satisfies readonly AgentState[];
export const outcomes = ["done", "refused"] as const;
/** The steps of the set-up after the first administrator is made. */
export const steps = ["interfaces", "traffic", "invite"] as const;

export type AppSearch = {
  /** Start of the range as the API takes it; absent: the default range. */
  from?: string | undefined;
  to?: string | undefined;
  filter?: string | undefined;
  /** What the chart is stacked by. */
  by?: Dimension | undefined;
  /** Which talkers are listed. */
  tab?: Dimension | undefined;
  measure?: (typeof measures)[number] | undefined;
  sort?: FlowSort | undefined;
  order?: SortOrder | undefined;
  status?: FlowStatus | undefined;
  /** The flow whose panel is open. */
  flow?: string | undefined;
  /** The talker whose panel is open: dimension, colon, key. */
  talker?: string | undefined;
  /** `table`: the chart's numbers instead of its picture. */
  view?: "table" | undefined;
  /** The flow explorer: dimensions with commas between, the kind of chart, the unit, the number of groups, two switches. */
  dims?: string | undefined;
  chart?: (typeof explorerCharts)[number] | undefined;
  unit?: (typeof explorerUnits)[number] | undefined;
  top?: string | undefined;
  mirror?: "yes" | undefined;
  compare?: "previous" | undefined;
  /** Series: what is shown, and how the samples of a step are joined. */
  metric?: string | undefined;
  labels?: string | undefined;
  aggregate?: (typeof aggregates)[number] | undefined;
  /** The text that a list is searched for. */
  q?: string | undefined;
  /** The audit log: of the whole site, only one action, only one outcome. */
  scope?: "site" | undefined;
  action?: string | undefined;
  outcome?: (typeof outcomes)[number] | undefined;
  /** The user whose panel is open. */
  user?: string | undefined;
  /** A probe: which picture, of which agent; which of its results are listed, and which one is open, by its start. */
  picture?: (typeof probeViews)[number] | undefined;
  agent?: string | undefined;
  only?: "failed" | "traces" | "objective" | undefined;
  result?: string | undefined;
  /** Probes: of which kind, how they stand, with which label, in which order. */
  kind?: string | undefined;
  standing?: (typeof probeStates)[number] | undefined;
  label?: string | undefined;
  rank?: (typeof probeSorts)[number] | undefined;
  /** Uptime: which period, and a moment in it when it is not the present one. */
  period?: UptimePeriod | undefined;
  at?: string | undefined;
  /** Traces by their starts: the one that is shown, the one that it is compared with, and the path by its number. */
  trace?: string | undefined;
  against?: string | undefined;
  path?: string | undefined;
  /** Agents: only those in one state. */
  state?: AgentState | undefined;
  /** Voice: as if calls used this codec, and the way that is looked at: probe, agent and direction. */
  codec?: string | undefined;
  pair?: string | undefined;
  /** The network map: only traces of this probe, the node whose panel is open, only traces that fit the search. */
  probe?: string | undefined;
  node?: string | undefined;
  fitting?: "yes" | undefined;
  /** Where the set-up is. */
  step?: (typeof steps)[number] | undefined;
};

/** Longest filter that is taken from a URL; the server has its own limit. */
const longestText = 4096;

export function validateSearch(raw: Record<string, unknown>): AppSearch {
  return withoutUndefined({
    from: text(raw.from),
    to: text(raw.to),
    filter: text(raw.filter),
    by: oneOf(dimensions, raw.by),
    tab: oneOf(dimensions, raw.tab),
    measure: oneOf(measures, raw.measure),
    sort: oneOf(flowSorts, raw.sort),
    order: oneOf(orders, raw.order),
    status: oneOf(statuses, raw.status),
    flow: text(raw.flow),
    talker: text(raw.talker),
    view: oneOf(["table"] as const, raw.view),
    dims: text(raw.dims),
    chart: oneOf(explorerCharts, raw.chart),
    unit: oneOf(explorerUnits, raw.unit),
    top: text(raw.top),
    mirror: oneOf(["yes"] as const, raw.mirror),
    compare: oneOf(["previous"] as const, raw.compare),
    metric: text(raw.metric),
    labels: text(raw.labels),
    aggregate: oneOf(aggregates, raw.aggregate),
    q: text(raw.q),
    scope: oneOf(["site"] as const, raw.scope),
    action: text(raw.action),
    outcome: oneOf(outcomes, raw.outcome),
    user: text(raw.user),
    picture: oneOf(probeViews, raw.picture),
    agent: text(raw.agent),
    only: oneOf(["failed", "traces", "objective"] as const, raw.only),
    result: text(raw.result),
    kind: text(raw.kind),
    standing: oneOf(probeStates, raw.standing),
    label: text(raw.label),
    rank: oneOf(probeSorts, raw.rank),
    period: oneOf(uptimePeriods, raw.period),
    at: text(raw.at),
    trace: text(raw.trace),
    against: text(raw.against),
    path: text(raw.path),
    state: oneOf(agentStates, raw.state),
    codec: text(raw.codec),
    pair: text(raw.pair),
    probe: text(raw.probe),
    node: text(raw.node),
    fitting: oneOf(["yes"] as const, raw.fitting),
    step: oneOf(steps, raw.step),
  });
}

/** `?a=b` to words: no JSON, so that links can be written by hand. */
export function parseSearch(query: string): Record<string, string> {
  return Object.fromEntries(new URLSearchParams(query));
}

export function stringifySearch(search: Record<string, unknown>): string {
  const words = new URLSearchParams();
  for (const [key, value] of Object.entries(search)) {
    if (typeof value === "string" && value !== "") words.set(key, value);
  }
  const query = words.toString();
  return query === "" ? "" : `?${query}`;
}

function text(value: unknown): string | undefined {
  return typeof value === "string" && value !== "" && value.length <= longestText ? value : undefined;
}

function oneOf<T extends string>(allowed: readonly T[], value: unknown): T | undefined {
  return allowed.find((word) => word === value);
}

function withoutUndefined(search: AppSearch): AppSearch {
  return Object.fromEntries(Object.entries(search).filter(([, value]) => value !== undefined));
}
