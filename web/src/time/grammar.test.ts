import { describe, expect, it } from "vitest";
import { isExpression, resolve } from "./grammar";
import { isZone, momentOf, wallOf } from "./zone";

const berlin = "Europe/Berlin";
const at = (text: string) => Date.parse(text);
/** A Saturday, 10:17:42 in Berlin. */
const now = at("2026-11-21T09:17:42Z");

describe("expressions", () => {
  it.each([
    ["now", "2026-11-21T09:17:42Z"],
    ["now-13h", "2026-11-20T20:17:42Z"],
    ["now/h", "2026-11-21T09:00:00Z"],
    ["now/d", "2026-11-20T23:00:00Z"],
    ["now/d+8h", "2026-11-21T07:00:00Z"],
    ["now-1d/d", "2026-11-19T23:00:00Z"],
    ["now/w", "2026-11-15T23:00:00Z"],
    ["now-1M/M", "2026-09-30T22:00:00Z"],
    ["now/Q", "2026-09-30T22:00:00Z"],
    ["now/y", "2025-12-31T23:00:00Z"],
    ["now-1y/y+2M", "2025-02-28T23:00:00Z"],
  ])("%s begins at %s", (text, moment) => expect(resolve(text, now, berlin, "start")).toBe(at(moment)));

  it.each([
    ["now-1M/M", "2026-10-31T23:00:00Z"],
    ["now/d", "2026-11-21T23:00:00Z"],
    ["now/w", "2026-11-22T23:00:00Z"],
    ["now/d+17h", "2026-11-21T16:00:00Z"],
  ])("%s ends at %s", (text, moment) => expect(resolve(text, now, berlin, "end")).toBe(at(moment)));

  it("rounds in the zone that is asked for", () => {
    expect(resolve("now/d", now, "UTC", "start")).toBe(at("2026-11-21T00:00:00Z"));
    expect(resolve("now/d", now, "Asia/Tokyo", "start")).toBe(at("2026-11-20T15:00:00Z"));
  });

  it("keeps the time of day over a change of the clock", () =>
    expect(resolve("now-30d", now, berlin, "start")).toBe(at("2026-10-22T08:17:42Z")));

  it("takes the last day of a month that is too short", () =>
    expect(resolve("now-1M", at("2026-03-31T10:00:00Z"), "UTC", "start")).toBe(at("2026-02-28T10:00:00Z")));

  it.each(["", "then", "now-", "now-1", "now-1x", "now//d", "now-1h ", "now - 1h", `now${"-1h".repeat(9)}`])(
    "%j is none",
    (text) => expect(isExpression(text) && text.trim() === text).toBe(false),
  );
});

describe("wall clocks", () => {
  it.each([
    ["2026-03-29T00:30:00Z", 1],
    ["2026-07-01T22:30:00Z", 0],
    ["2026-12-31T23:30:00Z", 0],
  ])("%s is the moment of its own wall clock", (text) =>
    expect(momentOf(wallOf(at(text), berlin), berlin)).toBe(at(text)),
  );

  it("takes the first of two equal times in autumn", () =>
    expect(momentOf({ year: 2026, month: 10, day: 25, hour: 2, minute: 30, second: 0 }, berlin)).toBe(
      at("2026-10-25T00:30:00Z"),
    ));

  it("goes past a time that is skipped in spring", () =>
    expect(momentOf({ year: 2026, month: 3, day: 29, hour: 2, minute: 30, second: 0 }, berlin)).toBe(
      at("2026-03-29T01:30:00Z"),
    ));

  it("knows zones by their names", () =>
    expect([berlin, "UTC", "Europe/Atlantis", ""].map(isZone)).toEqual([true, true, false, false]));
});
