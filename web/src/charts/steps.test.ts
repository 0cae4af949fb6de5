import { describe, expect, it } from "vitest";
import { gapsOf, runsOf, scale, stacked, stepArea, stepLine, timeTicks, valueTicks } from "./steps";

const x = (index: number) => index * 10;
const y = scale([0, 10], [100, 0]);

describe("shapes", () => {
  it("draws steps and never across a gap", () =>
    expect(stepLine([1, 2, null, 4], x, y)).toBe("M0 90H10L10 80H20M30 60H40"));
  it("closes an area on its lower edge", () =>
    expect(stepArea([3, 5], [1, 1], x, y)).toBe("M0 70H10L10 50H20V90H10V90H0Z"));
  it("finds stretches with and without values", () => {
    const values = [null, 1, 2, null, null, 0];
    expect(runsOf(values)).toEqual([
      [1, 3],
      [5, 6],
    ]);
    expect(gapsOf(values)).toEqual([
      [0, 1],
      [3, 5],
    ]);
  });
});

it("lays lanes one on another, with the gaps of all", () =>
  expect(
    stacked([
      [1, 2, null],
      [3, 4, null],
    ]),
  ).toEqual([
    { lower: [0, 0, 0], upper: [1, 2, null] },
    { lower: [1, 2, 0], upper: [4, 6, null] },
  ]));

describe("axes", () => {
  it("marks round values", () => {
    expect(valueTicks(0, 93, 4)).toEqual([0, 25, 50, 75]);
    expect(valueTicks(-40, 100, 5)).toEqual([0, 50, 100]);
    expect(valueTicks(0, 0, 4)).toEqual([0]);
  });
  it("marks hours of the zone, and where a day begins", () => {
    const from = Date.parse("2026-11-20T18:17:00Z");
    const ticks = timeTicks(from, from + 24 * 3_600_000, 10, "Europe/Berlin");
    expect(ticks.map(({ at }) => new Date(at).toISOString().slice(11, 16)).slice(0, 3)).toEqual([
      "20:00",
      "23:00",
      "02:00",
    ]);
    expect(ticks.filter(({ day }) => day).map(({ at }) => new Date(at).toISOString())).toEqual([
      "2026-11-20T23:00:00.000Z",
    ]);
  });
  it("marks days over weeks", () => {
    const from = Date.parse("2026-10-20T00:00:00Z");
    const ticks = timeTicks(from, from + 30 * 86_400_000, 10, "Europe/Berlin");
    expect(ticks.length).toBeLessThanOrEqual(10);
    expect(ticks.every(({ day }) => day)).toBe(true);
  });
});
