import { describe, expect, it } from "vitest";
import { extent, gapsOf, niceCeiling, stack } from "./stack";

const one = (
  key: string,
  carriedIn: (number | null)[],
  out: (number | null)[] = carriedIn.map((v) => (v === null ? null : 0)),
) => ({
  key,
  label: key,
  other: false,
  in: carriedIn,
  out,
});
const layout = (series: ReturnType<typeof one>[], times: number[]) => ({ times, series, losses: [], bucket: 1 });

describe("stacking", () => {
  it("adds in upwards and out downwards, in bits when asked to", () => {
    const result = stack(layout([one("a", [1, 2], [5, 0]), one("b", [10, 20])], [0, 1]), 3, 8);
    expect(result.above[0]).toEqual([8, 16, 16]);
    expect(result.above[1]).toEqual([88, 176, 176]);
    expect(result.below[0]).toEqual([-40, -0, -0]);
    expect(result.above[2]).toEqual([null, null, null]);
    expect([result.highest, result.lowest]).toEqual([176, 40]);
    expect(result.times).toEqual([0, 1, 2]);
  });
  it("leaves a gap as a gap", () =>
    expect(stack(layout([one("a", [1, null, 3])], [0, 1, 2]), 1, 1).above[0]).toEqual([1, null, 3, 3]));
});

describe("gaps", () => {
  it("are what nobody knows, inside and before the window", () => {
    expect(gapsOf(layout([one("a", [1, null, 3, 4])], [10, 11, 12, 13]), 0, 14)).toEqual([
      [0, 10],
      [11, 12],
    ]);
  });
  it("are the whole chart when there is nothing", () => expect(gapsOf(layout([], []), 0, 9)).toEqual([[0, 9]]));
  it("are not the last second of a live chart", () =>
    expect(gapsOf(layout([one("a", [1, 1])], [0, 1]), 0, 3)).toEqual([]));
});

describe("the axis", () => {
  it.each([
    [0, 0],
    [1, 1],
    [1.3, 1.5],
    [87, 100],
    [2_900_000, 3_000_000],
  ])("%d ends at %d", (value, end) => expect(niceCeiling(value)).toBeCloseTo(end));
  it("shows the silent half", () => expect(extent(900, 0)).toEqual([-200, 1000]));
  it("has a size without traffic", () => expect(extent(0, 0)).toEqual([-20, 100]));
});
