import { describe, expect, it } from "vitest";
import type { Exploration, HistoryGroup } from "~/api/schema";
import { coloursOf, highest, lanesOf } from "./lanes";

const group = (label: string, points: number[]): HistoryGroup => ({
  key: label === "" ? [] : [{ dimension: "application", label, filter: null }],
  total: points.reduce((sum, value) => sum + value, 0),
  octets_in: 0,
  octets_out: 0,
  points,
  points_in: points.map((value) => value / 2),
  points_out: points.map((value) => value / 2),
  summary: null,
  previous: null,
});
const answer = (other: number[], observed = [60, 60, 60, 60]): Exploration => ({
  from: "2026-11-21T00:00:00Z",
  to: "2026-11-21T00:04:00Z",
  step: 60,
  resolution: "1m",
  by: ["application"],
  measure: "octets",
  groups: [group("https", [600, 0, 0, 1200]), group("dns", [60, 0, 0, 0])],
  other: group("", other),
  total: group("", [660, 0, 0, 1200]),
  complete_until: "2026-11-21T00:04:00Z",
  observed,
  previous: [120, 60, 0, 0],
  edges: [],
  partial_first: false,
  short_by: 0,
  partial_last: true,
});

describe("lanes", () => {
  it("are values per second, with other last and grey", () => {
    const { lanes, from, step, count, previous } = lanesOf(answer([0, 0, 0, 60]));
    expect(lanes.map(({ key, other }) => [key, other])).toEqual([
      ["https", false],
      ["dns", false],
      ["other", true],
    ]);
    expect(lanes[0]?.values).toEqual([10, 0, 0, 20]);
    expect(lanes[0]?.received).toEqual([5, 0, 0, 10]);
    expect(lanes[2]?.colour).toBe("var(--series-other)");
    expect({ from, step, count }).toEqual({ from: Date.parse("2026-11-21T00:00:00Z"), step: 60_000, count: 4 });
    expect(previous).toEqual([2, 1, 0, 0]);
  });

  it("leave other out when nothing is in it", () => expect(lanesOf(answer([0, 0, 0, 0])).lanes).toHaveLength(2));

  it("are over the time that was observed: zero where it was quiet, nothing where nothing was recorded", () => {
    const { lanes, gaps } = lanesOf(answer([0, 0, 0, 0], [60, 60, 0, 30]));
    expect(lanes[0]?.values).toEqual([10, 0, null, 40]);
    expect(gaps).toEqual([[2, 3]]);
  });

  it("end with the last minute that is over", () => {
    const until = (time: string) =>
      lanesOf({ ...answer([0, 0, 0, 60], [60, 60, 0, 0]), complete_until: `2026-11-21T${time}Z` });
    expect([until("00:03:00"), until("00:02:00"), until("00:01:30")].map(({ count }) => count)).toEqual([3, 2, 2]);
    expect(until("00:02:00").gaps).toEqual([]);
    expect(until("00:02:00").lanes[0]?.values).toEqual([10, 0]);
    expect(until("00:00:00").count).toBe(1);
    expect(until("23:00:00").count).toBe(4);
  });
});

it("colours seven by the palette and the rest by viridis, each apart", () => {
  const colours = coloursOf(Array.from({ length: 20 }, (_, i) => `name ${i}`));
  expect(colours.slice(0, 7).every((one) => /^var\(--series-[1-7]\)$/.test(one))).toBe(true);
  expect(colours.slice(7).every((one) => one.startsWith("rgb("))).toBe(true);
  expect(new Set(colours).size).toBe(20);
});

it("finds the highest step, of one lane and of all together", () => {
  const lanes = [
    [1, 5, null],
    [4, 2, 3],
  ];
  expect(highest(lanes, false)).toBe(5);
  expect(highest(lanes, true)).toBe(7);
  expect(highest([], true)).toBe(0);
});
