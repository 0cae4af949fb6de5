import { describe, expect, it } from "vitest";
import { defaultRange, parseTyped, queryOfRange, rangeOfSearch, searchOfRange, shortDuration } from "./range";

const now = new Date(2026, 10, 21, 12, 0, 0).getTime();

describe("typed ranges", () => {
  it.each([
    ["-15m", 900],
    ["15 min", 900],
    ["90s", 90],
    ["1h", 3600],
  ])("%s is relative", (text, seconds) => expect(parseTyped(text, now)).toEqual({ kind: "relative", seconds }));

  it("takes times of the day", () =>
    expect(parseTyped("04:00 – 04:20", now)).toEqual({
      kind: "absolute",
      from: new Date(2026, 10, 21, 4).getTime(),
      to: new Date(2026, 10, 21, 4, 20).getTime(),
    }));

  it("takes a date for the start and a time for the end", () =>
    expect(parseTyped("2026-11-20 23:00 to 23:30", now)).toEqual({
      kind: "absolute",
      from: new Date(2026, 10, 20, 23).getTime(),
      to: new Date(2026, 10, 20, 23, 30).getTime(),
    }));

  it.each(["", "soon", "5", "0s", "-9999d", "05:00 – 04:00", "2026-13-40 01:00 to 02:00"])("refuses %j", (text) =>
    expect(parseTyped(text, now)).toBeUndefined(),
  );
});

describe("the URL", () => {
  it("needs no words for the default", () => expect(searchOfRange(defaultRange)).toEqual({ from: undefined }));
  it("gives back what it was given", () => {
    const range = { kind: "absolute", from: now - 60_000, to: now } as const;
    const { from, to } = searchOfRange(range);
    expect(rangeOfSearch(from, to)).toEqual(range);
    expect(rangeOfSearch("-90s", undefined)).toEqual({ kind: "relative", seconds: 90 });
  });
  it.each([["nonsense"], ["-0s"], ["2026-01-01T00:00:00Z"]])("reads %s as the default", (from) =>
    expect(rangeOfSearch(from, undefined)).toEqual(defaultRange),
  );
});

it("asks the API in its own words", () =>
  expect(queryOfRange({ kind: "relative", seconds: 900 })).toEqual({ from: "-15m" }));
it("writes durations in the largest exact unit", () =>
  expect([30, 90, 900, 3600, 5400].map(shortDuration)).toEqual(["30s", "90s", "15m", "1h", "90m"]));
