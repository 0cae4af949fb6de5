import { describe, expect, it } from "vitest";
import type { Heatmap } from "~/api/schema";
import { isEmpty, latencyRows, lossLane, quantileLane, roundWithin } from "./heat";

const heat: Heatmap = {
  from: "2026-11-21T00:00:00Z",
  step: 60,
  source: "packets",
  bounds: [0.008, 0.012, 0.018, 0.027],
  quantiles: [0, 0.5, 1],
  steps: [
    { runs: 1, loss: 0.5, counts: [3, 0, 1], delays: [0.009, 0.01, 0.02] },
    { runs: 0, loss: null, counts: [], delays: [] },
  ],
};

describe("a heatmap of delays", () => {
  it("has the longest delays above and a name at round ones", () => {
    const rows = latencyRows(heat, (seconds) => `${Math.round(seconds * 1000)} ms`);
    expect(rows.map(({ label }) => label)).toEqual(["20 ms", "", "10 ms"]);
    expect(rows.map(({ values }) => values)).toEqual([
      [1, 0],
      [0, 0],
      [3, 0],
    ]);
  });
  it("has no rows without delays", () => expect(latencyRows({ ...heat, bounds: [] }, String)).toEqual([]));
  it.each([
    [0.0009, 0.0011, 0.001],
    [0.021, 0.049, undefined],
    [0.005, 0.006, 0.005],
    [0, 1, undefined],
  ])("from %d to %d is marked %s", (low, high, mark) => {
    const found = roundWithin(low, high);
    if (mark === undefined) expect(found).toBeUndefined();
    else expect(found).toBeCloseTo(mark, 9);
  });
});

describe("the lanes of an answer", () => {
  it("are its quantiles, and nothing where nothing was measured", () => {
    expect(quantileLane(heat, 0.5)).toEqual([0.01, null]);
    expect(quantileLane(heat, 0.95)).toEqual([null, null]);
    expect(lossLane(heat)).toEqual([0.5, null]);
  });
  it("are empty when no step has a run", () => {
    expect(isEmpty(heat)).toBe(false);
    expect(isEmpty({ ...heat, steps: heat.steps.slice(1) })).toBe(true);
  });
});
