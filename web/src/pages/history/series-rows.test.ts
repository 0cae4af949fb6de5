import { describe, expect, it } from "vitest";
import type { SeriesChart } from "~/api/schema";
import { labelAt, nameOf, seriesRows } from "./series-rows";

const series = { id: 7, metric: "m", agent: "local", labels: [{ name: "interface", value: "eth0" }] };

it("makes a row of each line, without the steps that have no data", () => {
  const chart = { lines: [{ series, points: [null, 4, 1, null, 3] }] } as unknown as SeriesChart;
  expect(seriesRows(chart)[0]).toMatchObject({ id: 7, name: "interface=eth0", min: 1, max: 4, p95: 4, last: 3 });
  expect(seriesRows(chart)[0]?.mean).toBeCloseTo(8 / 3);
});

it("says nothing about a line without data", () => {
  const chart = { lines: [{ series, points: [null, null] }] } as unknown as SeriesChart;
  expect(seriesRows(chart)[0]).toMatchObject({ min: undefined, mean: undefined, last: undefined });
});

it("names a series without labels by its agent", () => expect(nameOf({ ...series, labels: [] })).toBe("local"));

describe("completion of labels", () => {
  it.each([
    ["", "", undefined, ""],
    ["inter", "", undefined, "inter"],
    ["interface=", "interface=", "interface", ""],
    ["interface!=et", "interface!=", "interface", "et"],
    ["interface=eth0,dir", "interface=eth0,", undefined, "dir"],
    ["interface=eth0, direction=o", "interface=eth0, direction=", "direction", "o"],
  ])("of %j", (text, lead, name, prefix) => expect(labelAt(text)).toEqual({ lead, name, prefix }));
});
