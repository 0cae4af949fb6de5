import { describe, expect, it } from "vitest";
import type { ProbeResult, ProbeState, ProbeStatus } from "~/api/schema";
import { counted, standingOf, stateOf, worst } from "./state";

const status = (state: ProbeState, time: string): ProbeStatus => ({ agent: "0", state, time, runs: [] });

describe("how a probe stands", () => {
  it("is what its agents agree on, as the server says", () =>
    expect(standingOf({ enabled: true, state: "degraded" })).toBe("degraded"));
  it("shows the agent that is worst, of equals the newest", () => {
    expect(worst([status("up", "2"), status("down", "1"), status("unknown", "3")])?.state).toBe("down");
    expect(worst([status("up", "1"), status("up", "2")])?.time).toBe("2");
  });
  it("is paused when it does not run, and waiting before its first run", () => {
    expect(standingOf({ enabled: false, state: "down" })).toBe("paused");
    expect(standingOf({ enabled: true, state: null })).toBe("waiting");
  });
});

describe("how a run went", () => {
  const run = (reason?: string) => (reason === undefined ? {} : { failure: { reason, message: "" } }) as ProbeResult;
  it("is judged as the server does", () => {
    expect([undefined, 0, 0.04, 0.05, 1].map((loss) => stateOf(run(), loss))).toEqual([
      "up",
      "up",
      "up",
      "degraded",
      "down",
    ]);
  });
  it("is unknown, not down, when the agent is at fault", () => {
    expect(stateOf(run("forbidden"), undefined)).toBe("unknown");
    expect(stateOf(run("timeout"), 1)).toBe("down");
  });
  it("is counted for a bar", () => {
    const runs = (["up", "down", "up"] as const).map((state) => ({ time: "", state }));
    expect(counted(runs)).toEqual({ up: 2, degraded: 0, down: 1, unknown: 0 });
  });
});
