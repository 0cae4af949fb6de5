import { describe, expect, it } from "vitest";
import type { Maintenance } from "~/api/schema";
import { blankWindow, localText, momentIn, windowBody, windowFaults, windowForm } from "./maintenance-form";

const zone = "Europe/Berlin";
const now = Date.parse("2026-11-21T10:10:00Z");
const form = { ...blankWindow(now, zone, zone), name: " Patch day ", all: true };

describe("a window of maintenance", () => {
  it("begins with the next hour on the reader's clock", () => {
    expect([form.start, form.end]).toEqual(["2026-11-21T12:00", "2026-11-21T14:00"]);
    expect(windowBody(form, zone)).toEqual({
      name: "Patch day",
      selection: { all: true, probes: [], labels: {} },
      schedule: { repeat: "once", start: "2026-11-21T11:00:00.000Z", end: "2026-11-21T13:00:00.000Z" },
    });
  });
  it("that comes back keeps what the form does not show", () => {
    const window = {
      name: "Nightly",
      selection: { all: false, probes: ["a"], labels: { site: "berlin" } },
      schedule: {
        repeat: "weekly",
        days: ["su", "mo"],
        time: "22:30",
        duration: 5400,
        zone: "UTC",
        until: "2027-01-01T00:00:00Z",
      },
    } as unknown as Maintenance;
    const body = windowBody(windowForm(window, now, zone, zone), zone);
    expect(body.schedule).toEqual({ ...window.schedule, days: ["mo", "su"] });
    expect(body.selection).toEqual(window.selection);
  });
  it.each([
    [{}, []],
    [{ end: form.start }, ["schedule.end"]],
    [{ start: "" }, ["schedule.end"]],
    [{ all: false }, ["selection"]],
    [{ all: false, labels: "site=berlin" }, []],
    [{ labels: "site" }, ["selection.labels"]],
    [{ repeat: "weekly" as const, minutes: "0" }, ["schedule.duration"]],
    [{ repeat: "weekly" as const, time: "7:00" }, ["schedule.time"]],
  ])("%j is wrong in %j", (change, faults) => expect([...windowFaults({ ...form, ...change }, zone)]).toEqual(faults));
});

describe("a moment on the clock of a zone", () => {
  it("is read as it is written", () => {
    const moment = Date.parse("2026-07-01T20:00:00Z");
    expect(localText(moment, zone)).toBe("2026-07-01T22:00");
    expect(momentIn("2026-07-01T22:00", zone)).toBe(moment);
    expect(momentIn("soon", zone)).toBeUndefined();
  });
});
