import { describe, expect, it } from "vitest";
import {
  copiedRange,
  defaultRange,
  parseTyped,
  queryOfRange,
  rangeOfSearch,
  scaledRange,
  searchOfRange,
  shiftedRange,
  shortDuration,
  spanOf,
  type TimeRange,
  writtenRange,
} from "./range";

const now = new Date(2026, 10, 21, 12, 0, 0).getTime();
const berlin = "Europe/Berlin";
const at = (text: string) => Date.parse(text);
const noon = at("2026-11-21T12:00:00Z");
const somewhere = { from: 0, to: 1 };

describe("typed ranges", () => {
  it.each([
    ["-15m", 900],
    ["15 min", 900],
    ["90s", 90],
    ["1h", 3600],
    ["13h", 13 * 3600],
    ["2w", 14 * 86_400],
    ["now-6h", 6 * 3600],
    ["now-6h to now", 6 * 3600],
  ])("%s is relative", (text, seconds) => expect(parseTyped(text, now)).toEqual({ kind: "relative", seconds }));

  it.each([
    ["now-1M/M", "now-1M/M", "now-1M/M"],
    ["now/d to now/d+8h", "now/d", "now/d+8h"],
    ["now/d – now", "now/d", "now"],
  ])("%s follows the calendar", (text, from, to) =>
    expect(parseTyped(text, noon, "UTC")).toEqual({ kind: "calendar", from, to }),
  );

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

  it("takes times on the clock of the zone, and whole days", () => {
    const day = { kind: "absolute", from: at("2026-11-19T23:00:00Z"), to: at("2026-11-20T23:00:00Z") };
    expect(parseTyped("2026-11-20", noon, berlin)).toEqual(day);
    expect(parseTyped("2026-11-20 00:00 to 2026-11-20", noon, berlin)).toEqual(day);
    expect(parseTyped("2026-11-20T00:00:00+01:00 to 2026-11-20T23:00:00Z", noon, "Asia/Tokyo")).toEqual(day);
  });

  it.each([
    ['{"from":"now-6h","to":"now"}', { kind: "relative", seconds: 21_600 }],
    ['{"from":"now-1d/d","to":"now-1d/d"}', { kind: "calendar", from: "now-1d/d", to: "now-1d/d" }],
    [
      `{"from":"2026-11-20T04:00:00.000Z","to":${noon}}`,
      { kind: "absolute", from: at("2026-11-20T04:00:00Z"), to: noon },
    ],
  ])("takes what Grafana copies: %s", (text, range) => expect(parseTyped(text, noon, "UTC")).toEqual(range));

  it.each([
    "",
    "soon",
    "5",
    "0s",
    "-99999d",
    "05:00 – 04:00",
    "2026-13-40 01:00 to 02:00",
    "now to now-1h",
    "{",
    '{"from":1}',
    "1h to 2h to 3h",
  ])("refuses %j", (text) => expect(parseTyped(text, now)).toBeUndefined());
});

describe("the URL", () => {
  it("needs no words for the default", () => expect(searchOfRange(defaultRange)).toEqual({ from: undefined }));
  it.each<TimeRange>([
    { kind: "absolute", from: now - 60_000, to: now },
    { kind: "relative", seconds: 90 },
    { kind: "relative", seconds: 30 * 86_400 },
    { kind: "calendar", from: "now/d", to: "now" },
    { kind: "calendar", from: "now-1M/M", to: "now-1M/M" },
  ])("gives back %j", (range) => {
    const { from, to } = searchOfRange(range);
    expect(rangeOfSearch(from, to)).toEqual(range);
  });
  it.each([["nonsense"], ["-0s"], ["2026-01-01T00:00:00Z"]])("reads %s as the default", (from) =>
    expect(rangeOfSearch(from, undefined)).toEqual(defaultRange),
  );
});

describe("moving a range", () => {
  const lastMonth = { kind: "calendar", from: "now-1M/M", to: "now-1M/M" } as const;
  it("goes a whole month when it is one", () =>
    expect(shiftedRange(lastMonth, -1, noon, "UTC")).toEqual({
      kind: "absolute",
      from: at("2026-09-01T00:00:00Z"),
      to: at("2026-10-01T00:00:00Z"),
    }));
  it("goes by its own length otherwise", () =>
    expect(shiftedRange({ kind: "relative", seconds: 3600 }, -1, noon, "UTC")).toEqual({
      kind: "absolute",
      from: noon - 7_200_000,
      to: noon - 3_600_000,
    }));
  it("never goes beyond now", () =>
    expect(shiftedRange({ kind: "absolute", from: noon - 5000, to: noon - 1000 }, 1, noon, "UTC")).toEqual({
      kind: "absolute",
      from: noon - 4000,
      to: noon,
    }));
  it("zooms about the middle, and a relative range still ends now", () => {
    expect(scaledRange({ kind: "relative", seconds: 300 }, 2, noon, "UTC")).toEqual({ kind: "relative", seconds: 600 });
    expect(scaledRange({ kind: "absolute", from: noon - 40_000, to: noon - 20_000 }, 2, noon, "UTC")).toEqual({
      kind: "absolute",
      from: noon - 50_000,
      to: noon - 10_000,
    });
  });
});

describe("writing a range", () => {
  const ranges: TimeRange[] = [
    { kind: "relative", seconds: 900 },
    { kind: "absolute", from: at("2026-11-20T23:00:00Z"), to: at("2026-11-21T05:30:15Z") },
    { kind: "calendar", from: "now-1M/M", to: "now-1M/M" },
    { kind: "calendar", from: "now/d", to: "now" },
  ];
  it.each(ranges)("%j is read back from the field and from the clipboard", (range) => {
    expect(parseTyped(writtenRange(range, berlin), noon, berlin)).toEqual(range);
    expect(parseTyped(copiedRange(range), noon, berlin)).toEqual(range);
  });
  it("asks the API in its own words", () => {
    expect(queryOfRange({ kind: "relative", seconds: 900 }, somewhere)).toEqual({ from: "-15m" });
    const lastMonth = { kind: "calendar", from: "now-1M/M", to: "now-1M/M" } as const;
    expect(queryOfRange(lastMonth, spanOf(lastMonth, noon, "UTC"))).toEqual({
      from: "2026-10-01T00:00:00.000Z",
      to: "2026-11-01T00:00:00.000Z",
    });
  });
  it("writes durations in the largest exact unit", () =>
    expect([30, 90, 900, 3600, 5400, 86_400, 604_800].map(shortDuration)).toEqual([
      "30s",
      "90s",
      "15m",
      "1h",
      "90m",
      "24h",
      "7d",
    ]));
});
