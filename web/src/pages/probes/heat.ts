/** What is drawn of the delays of a probe: lanes of quantiles, and rows of a heatmap with round delays as names. Pure. */
import type { Heatmap } from "~/api/schema";
import type { HeatRow } from "~/charts/heat-plot";
import type { Lane } from "./smoke";

/** Delays that a scale is marked with, of each factor of ten. */
const round = [1, 2, 5] as const;

export function latencyRows({ bounds, steps }: Heatmap, figures: (seconds: number) => string): HeatRow[] {
  return Array.from({ length: Math.max(0, bounds.length - 1) }, (_, i) => {
    const bin = bounds.length - 2 - i;
    const mark = roundWithin(bounds[bin] ?? 0, bounds[bin + 1] ?? 0);
    return {
      key: String(bin),
      label: mark === undefined ? "" : figures(mark),
      values: steps.map(({ counts }) => counts[bin] ?? 0),
    };
  });
}

/** The round delay in a bin, if there is one. */
export function roundWithin(low: number, high: number): number | undefined {
  if (!(low > 0)) return undefined;
  const power = 10 ** Math.floor(Math.log10(low));
  return [...round.map((one) => one * power), 10 * power].find(
    (one) => one >= low * 0.999_999 && one < high * 0.999_999,
  );
}

/** The delay of each step at a quantile that the answer has. */
export function quantileLane(heat: Heatmap, share: number): Lane {
  const place = heat.quantiles.findIndex((quantile) => Math.abs(quantile - share) < 1e-9);
  return heat.steps.map(({ delays }) => delays[place] ?? null);
}

export function lossLane(heat: Heatmap): Lane {
  return heat.steps.map(({ loss }) => loss ?? null);
}

/** Whether a step tells anything. */
export function isEmpty(heat: Heatmap): boolean {
  return heat.steps.every(({ runs, delays }) => runs === 0 && delays.length === 0);
}
