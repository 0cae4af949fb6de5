/** What a part of a period was, and how much of an objective is used up. Pure. */
import type { ErrorBudget, UptimePart, UptimePeriod, UptimeSeconds } from "~/api/schema";

export const periods = [
  "24h",
  "7d",
  "30d",
  "90d",
  "day",
  "week",
  "month",
  "quarter",
  "year",
] as const satisfies readonly UptimePeriod[];

export type PartState = "up" | "degraded" | "down" | "maintenance" | "unknown";

/** Shares of a part, 0 to 1. */
export function sharesOf(part: UptimePart): Record<PartState, number> {
  const { up = 0, degraded = 0, down = 0, maintenance = 0, unknown = 0 } = part;
  const whole = Math.max(1, up + degraded + down + maintenance + unknown);
  return {
    up: up / whole,
    degraded: degraded / whole,
    down: down / whole,
    maintenance: maintenance / whole,
    unknown: unknown / whole,
  };
}

/** What a part mostly says: that it was down if it ever was, then what most of it was. */
export function partState(part: UptimePart): PartState {
  const shares = sharesOf(part);
  if (shares.down > 0) return "down";
  if (shares.up + shares.degraded === 0) return shares.maintenance > shares.unknown ? "maintenance" : "unknown";
  return shares.degraded > shares.up ? "degraded" : "up";
}

/** A share with as many figures as it takes to tell it from 1: 99.9 %, 99.987 %; never rounded up to 100 %. */
export function availabilityText(availability: number | null | undefined, locale: string): string {
  if (availability == null) return "–";
  const digits = availability === 1 ? 0 : availability > 0.9999 ? 4 : availability > 0.99 ? 3 : 2;
  const scale = 10 ** digits;
  const floored = Math.floor(availability * 100 * scale + 1e-6) / scale;
  return `${floored.toLocaleString(locale, { minimumFractionDigits: digits, maximumFractionDigits: digits })} %`;
}

export type BudgetState = { share: number; standing: "ok" | "low" | "spent" };

/** How much of the budget is left, 0 to 1, and how that stands; `undefined` when there is none to spend. */
export function budgetState({ allowed, left }: ErrorBudget): BudgetState | undefined {
  if (allowed <= 0) return undefined;
  const share = Math.min(1, Math.max(0, left / allowed));
  return { share, standing: left < 0 ? "spent" : share < 0.25 ? "low" : "ok" };
}

/** The sums of some probes. */
export function together(all: readonly UptimeSeconds[]): Pick<UptimeSeconds, "up" | "degraded" | "down"> & {
  availability: number | undefined;
} {
  const sum = (of: (one: UptimeSeconds) => number) => all.reduce((whole, one) => whole + of(one), 0);
  const [up, degraded, down] = [sum((one) => one.up), sum((one) => one.degraded), sum((one) => one.down)];
  const known = up + degraded + down;
  return { up, degraded, down, availability: known > 0 ? (up + degraded) / known : undefined };
}

/** A period that ended this little ago, in milliseconds, ends now: answers take their time. */
const aMoment = 120_000;

/** A moment in the period before or after one, as the API takes it; `undefined` when that is now or later. */
export function neighbour(
  { from, until }: { from: string; until: string },
  direction: -1 | 1,
  now: number,
): string | undefined {
  const [start, end] = [Date.parse(from), Date.parse(until)];
  // Into the middle of the neighbour: days differ by an hour, months by days.
  const at = direction < 0 ? start - 1000 : end + (end - start) / 2;
  const moment = direction < 0 ? at : Math.min(at, now);
  return direction > 0 && end >= now - aMoment ? undefined : new Date(moment).toISOString().replace(/\.\d+Z$/, "Z");
}
