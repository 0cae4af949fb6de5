import { describe, expect, it } from "vitest";
import type { Rates } from "~/api/schema";
import { layOut, RatesWindow } from "./rates";

const base = Date.parse("2026-01-01T00:00:00Z");
const at = (second: number) => new Date(base + second * 1000).toISOString();

function rates(from: number, series: Record<string, (number | null)[]>, drops: number[] = []): Rates {
  const length = Object.values(series)[0]?.length ?? drops.length;
  return {
    from: at(from),
    to: at(from + length),
    step: 1,
    by: "host",
    layer: "l3",
    series: Object.entries(series).map(([key, octets]) => ({
      key: key === "other" ? "" : key,
      label: key,
      other: key === "other",
      in: { octets, packets: octets.map((value) => (value === null ? null : 1)) },
      out: { octets: octets.map(() => 0), packets: octets.map(() => 0) },
    })),
    losses: { kernel_drops: drops, ring_fill: [], records_dropped: [], flows_other: [] },
    incomplete: drops.some(Boolean),
    oldest: null,
  };
}

function windowOf(...frames: Rates[]): RatesWindow {
  const window = new RatesWindow();
  for (const frame of frames) window.apply(frame);
  return window;
}

describe("frames", () => {
  it("follow one another", () => {
    const window = windowOf(rates(0, { a: [1, 2] }), rates(2, { a: [3] }));
    expect(window.series.get("a")?.in).toEqual([1, 2, 3]);
    expect(window.to - window.from).toBe(3000);
  });

  it("replace what they overlap", () =>
    expect(windowOf(rates(0, { a: [1, 2, 3] }), rates(1, { a: [9, 9, 9] })).series.get("a")?.in).toEqual([1, 9, 9, 9]));

  it("leave a hole as a hole", () =>
    expect(windowOf(rates(0, { a: [1] }), rates(3, { a: [4] })).series.get("a")?.in).toEqual([1, null, null, 4]));

  it("keep no data apart from nothing carried", () =>
    expect(windowOf(rates(0, { a: [null, 0, 5] })).series.get("a")?.in).toEqual([null, 0, 5]));

  it("say when a series is new, and it carried nothing before", () => {
    const window = windowOf(rates(0, { a: [1, 1] }));
    expect(window.apply(rates(2, { a: [1], b: [7] }))).toBe(true);
    expect(window.series.get("b")?.in).toEqual([0, 0, 7]);
    expect(window.apply(rates(3, { a: [1], b: [7] }))).toBe(false);
  });

  it("leave a series that they do not name at zero", () =>
    expect(windowOf(rates(0, { a: [1], b: [2] }), rates(1, { a: [1] })).series.get("b")?.in).toEqual([2, 0]));

  it("start over when the step changes", () => {
    const window = windowOf(rates(0, { a: [1, 1] }), { ...rates(10, { a: [5] }), step: 10, to: at(20) });
    expect(window.series.get("a")?.in).toEqual([5]);
  });
});

describe("trimming", () => {
  it("forgets whole steps and the series that have gone silent", () => {
    const window = windowOf(rates(0, { a: [1, 1, 1], b: [5, 0, 0] }));
    window.trim(base + 1500);
    expect(window.series.get("a")?.in).toEqual([1, 1]);
    window.trim(base + 2000);
    expect([...window.series.keys()]).toEqual(["a"]);
    expect(window.losses).toHaveLength(1);
  });
});

describe("ranking", () => {
  it("puts the largest first and adds the rest to other", () => {
    const ranked = windowOf(rates(0, { a: [1], b: [9], c: [5], other: [2] })).ranked(2);
    expect(ranked.map((series) => series.key)).toEqual(["b", "c", ""]);
    expect(ranked[2]?.in).toEqual([3]);
  });
});

describe("layout", () => {
  it("gives octets a second, at most two points a pixel", () => {
    const window = windowOf(rates(0, { a: Array.from({ length: 3600 }, () => 100) }));
    const layout = layOut(window, { from: window.from, to: window.to }, 600, 8);
    expect(layout.times.length).toBeLessThanOrEqual(1200);
    expect(new Set(layout.series[0]?.in)).toEqual(new Set([100]));
  });

  it("keeps the sum of losses and the widest ring fill", () => {
    const window = windowOf(rates(0, { a: [1, 1, 1, 1] }, [0, 3, 4, 0]));
    const layout = layOut(window, { from: window.from, to: window.to }, 1, 8);
    expect(layout.losses.map((loss) => loss.kernelDrops)).toEqual([3, 4]);
  });

  it("does not bridge a bucket without data", () => {
    const window = windowOf(rates(0, { a: [4, 4, null, null, 8, null] }));
    expect(layOut(window, { from: window.from, to: window.to }, 1.5, 8).series[0]?.in).toEqual([4, null, 8]);
  });
});
