/** Delays of a probe over the range of the page by size: one answer for smoke, heat and percentiles. */
import { useQuery } from "@tanstack/react-query";
import { heatmapQuery } from "~/api/probes";
import type { Heatmap } from "~/api/schema";
import { useTime } from "~/time/time";
import { type Source, stepOf } from "./use-lanes";

export type Heat = {
  heat: Heatmap | undefined;
  /** Start of the first step and length of a step, in milliseconds. */
  from: number;
  step: number;
  count: number;
  dimmed: boolean;
  error: unknown;
  retry: () => void;
};

const refresh = 10_000;

export function useHeat({ probe, interval, agent }: Source): Heat {
  const time = useTime();
  const step = stepOf(time.seconds, interval);
  const { data, error, isPlaceholderData, refetch } = useQuery({
    ...heatmapQuery(probe, { ...time.query, step, ...(agent !== undefined && { agent }) }),
    refetchInterval: time.mode === "live" ? refresh : (false as const),
  });
  return {
    heat: data,
    from: data === undefined ? 0 : Date.parse(data.from),
    step: (data?.step ?? step) * 1000,
    count: data?.steps.length ?? 0,
    dimmed: isPlaceholderData,
    error,
    retry: () => void refetch(),
  };
}
