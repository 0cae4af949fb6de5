/** How probes and runs stand, for marks and bars. Pure. */
import type { Probe, ProbeResult, ProbeRunBar, ProbeState, ProbeStatus } from "~/api/schema";
import type { Status } from "~/ui/controls";

/** What a probe shows: the state of its runs, or why there is none. */
export type Standing = ProbeState | "paused" | "waiting";

export const marks: Readonly<Record<Standing, Status>> = {
  up: "ok",
  degraded: "warning",
  down: "critical",
  unknown: "unknown",
  paused: "paused",
  waiting: "silent",
};

const worseness: Readonly<Record<ProbeState, number>> = { down: 3, degraded: 2, unknown: 1, up: 0 };

/** As its agents agree, which the server finds out. */
export function standingOf(probe: Pick<Probe, "enabled" | "state">): Standing {
  if (!probe.enabled) return "paused";
  return probe.state ?? "waiting";
}

/** At one of them. */
export function standingAt(probe: Pick<Probe, "enabled" | "status">, agent: string): Standing {
  if (!probe.enabled) return "paused";
  return probe.status.find((one) => one.agent === agent)?.state ?? "waiting";
}

/** The status that says most: the worst, of equals the newest. */
export function worst(status: readonly ProbeStatus[]): ProbeStatus | undefined {
  return byWorst(status)[0];
}

/** The worst first, of equals the newest. */
export function byWorst(status: readonly ProbeStatus[]): ProbeStatus[] {
  return status.toSorted((a, b) => worseness[b.state] - worseness[a.state] || b.time.localeCompare(a.time));
}

/** Reasons for which a run says nothing about the target. */
const unknown = new Set(["forbidden", "no_right", "source", "agent"]);

/** How a run went, as the server judges it. */
export function stateOf(result: ProbeResult, loss: number | undefined): ProbeState {
  if (result.failure != null) return unknown.has(result.failure.reason) ? "unknown" : "down";
  if (loss === undefined || loss < 0.05) return "up";
  return loss >= 1 ? "down" : "degraded";
}

/** How many runs went how, for a text about a bar. */
export function counted(runs: readonly ProbeRunBar[]): Record<ProbeState, number> {
  const counts: Record<ProbeState, number> = { up: 0, degraded: 0, down: 0, unknown: 0 };
  for (const { state } of runs) counts[state] += 1;
  return counts;
}
