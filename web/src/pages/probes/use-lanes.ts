/** Numbers of a probe over the range of the page: one question for each metric, all with the same steps. */
import { useQueries } from "@tanstack/react-query";
import { chartQuery } from "~/api/history";
import type { SeriesAggregate, SeriesChart } from "~/api/schema";
import { useTime } from "~/time/time";
import { type Lane, pointsOf } from "./smoke";

export type Asked = {
  metric: string;
  aggregate: SeriesAggregate;
  /** Of this agent, in place of the one of the source. */
  agent?: string;
};
/** Which numbers: those of the probe itself, not of a trace that was added to it. */
export type Source = { probe: string; kind: string; interval: number; agent: string | undefined };

export type Lanes = {
  charts: readonly (SeriesChart | undefined)[];
  /** In the order of the question. */
  lanes: readonly Lane[];
  /** Start of the first step and length of a step, in milliseconds. */
  from: number;
  step: number;
  count: number;
  chart: SeriesChart | undefined;
  dimmed: boolean;
  error: unknown;
  retry: () => void;
};

/** Milliseconds after which a range that ends now is asked for again. */
const refresh = 10_000;
const mostSeries = 100;

export function useLanes({ probe, kind, interval, agent }: Source, asked: readonly Asked[]): Lanes {
  const time = useTime();
  const step = stepOf(time.seconds, interval);
  const labels = `probe=${probe},kind=${kind}`;
  // Lanes of several agents come from one answer.
  const keyOf = (one: Asked) => `${one.aggregate} ${one.metric}`;
  const questions = asked.filter((one, i) => asked.findIndex((other) => keyOf(other) === keyOf(one)) === i);
  const answers = useQueries({
    queries: questions.map(({ metric, aggregate }) => ({
      ...chartQuery({ ...time.query, metric, aggregate, labels, step, limit: mostSeries }),
      refetchInterval: time.mode === "live" ? refresh : (false as const),
    })),
  });
  const charts = asked.map((one) => answers[questions.findIndex((other) => keyOf(other) === keyOf(one))]?.data);
  const chart = charts.find((one) => one !== undefined);
  const lanes = charts.map((one, i) => (one === undefined ? [] : pointsOf(one, asked[i]?.agent ?? agent)));
  return {
    charts,
    lanes,
    chart,
    from: chart === undefined ? 0 : Date.parse(chart.from),
    step: (chart?.step ?? step) * 1000,
    count: Math.max(0, ...lanes.map(({ length }) => length)),
    dimmed: answers.some(({ isPlaceholderData }) => isPlaceholderData),
    error: answers.find(({ error }) => error !== null)?.error,
    retry: () => {
      for (const answer of answers) void answer.refetch();
    },
  };
}

const offered = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10_800, 21_600, 43_200, 86_400];
const mostSteps = 300;

/** A round step, so long that each has a run although runs are not exactly in time; at most 300 of them. */
export function stepOf(seconds: number, interval: number): number {
  const least = Math.max(seconds / mostSteps, 2 * interval);
  const day = 86_400;
  return offered.find((step) => step >= least) ?? Math.ceil(least / day) * day;
}
