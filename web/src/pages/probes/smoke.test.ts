import { describe, expect, it } from "vitest";
import type { KindDescription, SeriesChart } from "~/api/schema";
import { capped, delayTop, inverted, lossColour, lossLevels, pointsOf, smokeMetrics } from "./smoke";

const kind = (...names: string[]) =>
  ({ metrics: names.map((name) => ({ name, unit: "seconds", help: "" })) }) as unknown as KindDescription;

describe("the colour of loss", () => {
  it("is that of the level which the loss has reached", () => {
    const of = [0, 0.001, 0.05, 0.19, 0.2, 0.5, 0.99, 1].map(lossColour);
    expect(of).toEqual([0, 1, 2, 3, 4, 5, 5, 6].map((level) => lossLevels[level]?.colour));
  });
  it("is never that of no loss when there is some", () => expect(lossColour(1e-9)).not.toBe(lossColour(0)));
  it("is different for each level", () =>
    expect(new Set(lossLevels.map(({ colour }) => colour)).size).toBe(lossLevels.length));
});

describe("what a smoke chart asks", () => {
  it("takes the whole band of a kind that has one", () => {
    const asked = smokeMetrics(
      kind(
        "probe_loss_ratio",
        "probe_rtt_min_seconds",
        "probe_rtt_median_seconds",
        "probe_rtt_p95_seconds",
        "probe_rtt_max_seconds",
      ),
    );
    expect(asked.median).toEqual({ metric: "probe_rtt_median_seconds", aggregate: "avg" });
    expect([asked.min?.aggregate, asked.max?.aggregate]).toEqual(["min", "max"]);
    expect(asked.loss).toEqual({ metric: "probe_loss_ratio", aggregate: "avg" });
  });
  it("takes the response and the share of failed runs of a kind without packets", () => {
    const asked = smokeMetrics(kind("probe_dns_query_seconds", "probe_dns_rcode"));
    expect(asked).toEqual({
      median: { metric: "probe_dns_query_seconds", aggregate: "avg" },
      loss: { metric: "probe_success", aggregate: "avg", inverted: true },
    });
    expect(inverted([1, 0, null])).toEqual([0, 1, null]);
  });
  it("takes the duration of a kind that is not known yet", () =>
    expect(smokeMetrics(kind()).median?.metric).toBe("probe_duration_seconds"));
});

describe("the points of a probe", () => {
  const line = (agent: string, points: (number | null)[]) => ({ series: { agent }, points });
  const chart = { lines: [line("a", [1, 2, null]), line("a", [null, 5, 6]), line("b", [9, 9, 9])] };
  it("are those of one agent, of the newer target where both have a value", () =>
    expect(pointsOf(chart as unknown as SeriesChart, "a")).toEqual([1, 5, 6]));
  it("are none when there is no line", () => expect(pointsOf(chart as unknown as SeriesChart, "c")).toEqual([]));
});

describe("the axis of delays", () => {
  it("holds everything that is near", () =>
    expect(delayTop([0.01, null], [0.03, 0.02])).toEqual({ top: 0.03, cut: undefined }));
  it("cuts a spike off and says so", () => {
    expect(delayTop([0.01, 0.01], [0.02, 2])).toEqual({ top: 0.04, cut: 2 });
    expect(capped([0.01, null, 2], 0.04)).toEqual([0.01, null, 0.04]);
  });
});
