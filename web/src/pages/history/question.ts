/** What the flow explorer asks, out of the words of the URL. Pure. */
import type { ExploreQuestion } from "~/api/history";
import type { HistoryDimension, HistoryMeasure } from "~/api/schema";
import type { AppSearch, explorerCharts } from "~/app/search";
import type { RangeQuery } from "~/time/range";

export type ChartKind = (typeof explorerCharts)[number];

/** In the order in which they are offered. */
export const historyDimensions = [
  "host",
  "source",
  "destination",
  "application",
  "name",
  "port",
  "source_port",
  "protocol",
  "process",
  "user",
  "container",
  "interface",
  "vlan",
  "agent",
  "source_country",
  "destination_country",
  "source_asn",
  "destination_asn",
  "source_network",
  "destination_network",
] as const satisfies readonly HistoryDimension[];

export const mostDimensions = 5;
export const tops = [5, 7, 10, 20, 50] as const;
const defaultTop = 7;
const defaultDimension: HistoryDimension = "application";

export type Explorer = {
  dimensions: readonly HistoryDimension[];
  chart: ChartKind;
  measure: HistoryMeasure;
  top: number;
  /** In above and out below zero; only octets have directions. */
  mirrored: boolean;
  previous: boolean;
};

/** What is chosen; what the URL does not say, or says wrongly, is the default. */
export function explorerOf(search: AppSearch): Explorer {
  const named = (search.dims ?? "").split(",").filter(isDimension);
  const dimensions = [...new Set(named)].slice(0, mostDimensions);
  const measure = search.unit ?? "octets";
  const chart = search.chart ?? "stacked";
  const top = tops.find((one) => String(one) === search.top) ?? defaultTop;
  const directed = measure === "octets" && (chart === "stacked" || chart === "lines" || chart === "grid");
  return {
    dimensions: dimensions.length === 0 ? [defaultDimension] : dimensions,
    chart,
    measure,
    top,
    mirrored: search.mirror === "yes" && directed,
    previous: search.compare === "previous",
  };
}

/** The words of the URL for a change; defaults need none. */
export function searchOf(change: Partial<Explorer>): AppSearch {
  const { dimensions, chart, measure, top, mirrored, previous } = change;
  return {
    ...(dimensions && { dims: dimensions.join(",") === defaultDimension ? undefined : dimensions.join(",") }),
    ...(chart && { chart: chart === "stacked" ? undefined : chart }),
    ...(measure && { unit: measure === "octets" ? undefined : measure }),
    ...(top !== undefined && { top: top === defaultTop ? undefined : String(top) }),
    ...(mirrored !== undefined && { mirror: mirrored ? ("yes" as const) : undefined }),
    ...(previous !== undefined && { compare: previous ? ("previous" as const) : undefined }),
  };
}

const stepsOffered = [60, 120, 300, 600, 900, 1800, 3600, 7200, 10_800, 21_600, 43_200, 86_400, 172_800, 604_800];
const mostSteps = 300;

/** A round step of at least a minute, so that sums made ahead can answer; at most 300 of them. */
export function stepFor(seconds: number): number {
  return stepsOffered.find((step) => seconds / step <= mostSteps) ?? Math.ceil(seconds / mostSteps / 86_400) * 86_400;
}

export function questionOf(explorer: Explorer, query: RangeQuery, seconds: number, filter?: string): ExploreQuestion {
  return {
    ...query,
    step: stepFor(seconds),
    by: explorer.dimensions.join(","),
    measure: explorer.measure,
    limit: explorer.top,
    ...(explorer.previous && { previous: true }),
    ...(filter && { filter }),
  };
}

function isDimension(name: string): name is HistoryDimension {
  return (historyDimensions as readonly string[]).includes(name);
}
