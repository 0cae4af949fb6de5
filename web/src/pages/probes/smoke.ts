/**
 * The smoke chart's numbers, after SmokePing: the median over time in a colour that says the loss, in a band of the other delays.
 *
 * Pure. A step of several runs shows the mean of their medians and 95th percentiles, the least minimum, the greatest maximum and the
 * mean loss. Which metrics a kind has is taken from its description, so that a new kind needs nothing here.
 */
import type { KindDescription, SeriesAggregate, SeriesChart, SeriesName } from "~/api/schema";

export type LossLevel = { colour: string; from: number };

/** Loss from which on a colour holds, 0 to 1, as SmokePing steps them. */
export const lossLevels: readonly LossLevel[] = [
  { from: 0, colour: "var(--ok)" },
  { from: Number.MIN_VALUE, colour: "var(--series-2)" },
  { from: 0.05, colour: "var(--series-5)" },
  { from: 0.1, colour: "var(--series-7)" },
  { from: 0.2, colour: "var(--warning)" },
  { from: 0.5, colour: "var(--series-6)" },
  { from: 1, colour: "var(--critical)" },
];

export function lossColour(loss: number): string {
  return (lossLevels.findLast(({ from }) => loss >= from) ?? lossLevels[0])?.colour ?? "var(--ok)";
}

export type SmokeLane = "median" | "p95" | "min" | "max" | "loss";
export type SmokeMetric = { metric: string; aggregate: SeriesAggregate; inverted?: true };
/** What is asked for; lanes that a kind does not have are absent. */
export type SmokeMetrics = { [L in SmokeLane]?: SmokeMetric } & { loss: SmokeMetric };

/** The time that stands for a run, the first that a kind has. */
const responses = [
  "probe_rtt_median_seconds",
  "probe_connect_seconds",
  "probe_dns_query_seconds",
  "probe_tls_handshake_seconds",
] as const;

export function smokeMetrics(kind: KindDescription): SmokeMetrics {
  const has = (name: string) => kind.metrics.some((metric) => metric.name === name);
  const lane = (metric: string, aggregate: SeriesAggregate) => (has(metric) ? { metric, aggregate } : undefined);
  const lanes: SmokeMetrics = {
    median: { metric: responses.find(has) ?? "probe_duration_seconds", aggregate: "avg" },
    // Without a share of packets, the share of failed runs.
    loss: lane("probe_loss_ratio", "avg") ?? { metric: "probe_success", aggregate: "avg", inverted: true },
  };
  const [p95, min, max] = [
    lane("probe_rtt_p95_seconds", "avg"),
    lane("probe_rtt_min_seconds", "min"),
    lane("probe_rtt_max_seconds", "max"),
  ];
  return { ...lanes, ...(p95 && { p95 }), ...(min && { min }), ...(max && { max }) };
}

export type Lane = readonly (number | null)[];

/** The points of one agent. A probe whose target was changed has a series for each target: at each step the one that has a value. */
export function pointsOf(chart: SeriesChart, agent: string | undefined): (number | null)[] {
  const lines = chart.lines.filter(({ series }) => agent === undefined || agentOf(series) === agent);
  const count = Math.max(0, ...lines.map(({ points }) => points.length));
  return Array.from({ length: count }, (_, i) => lines.findLast(({ points }) => points[i] != null)?.points[i] ?? null);
}

/** Agents that have a line in a chart. */
export function agentsOf(charts: readonly (SeriesChart | undefined)[]): string[] {
  return [...new Set(charts.flatMap((chart) => chart?.lines.map(({ series }) => agentOf(series)) ?? []))].sort();
}

/** Who measured: the label says it of what a server took in for others. */
function agentOf({ agent, labels }: SeriesName): string {
  return labels?.find(({ name }) => name === "agent")?.value ?? agent;
}

export function inverted(lane: Lane): (number | null)[] {
  return lane.map((value) => (value === null ? null : 1 - value));
}

/** A spike this many times above all 95th percentiles is cut off, so that it does not flatten everything else. */
const spike = 4;

/** Where the axis of delays ends, and the greatest value when it does not fit. */
export function delayTop(p95: Lane, max: Lane): { top: number; cut: number | undefined } {
  const usual = Math.max(0, ...p95.map((value) => value ?? 0));
  const greatest = Math.max(usual, ...max.map((value) => value ?? 0));
  if (usual === 0 || greatest <= spike * usual) return { top: greatest, cut: undefined };
  return { top: spike * usual, cut: greatest };
}

/** Values no greater than `top`. */
export function capped(lane: Lane, top: number): (number | null)[] {
  return lane.map((value) => (value === null ? null : Math.min(top, value)));
}
