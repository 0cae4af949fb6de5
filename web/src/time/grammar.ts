/**
 * Moments relative to now, in Grafana's writing: `now`, `now-13h`, `now/d`, `now-1M/M`, `now/d+8h`.
 *
 * Steps are taken from left to right in the wall clock of a zone. `/unit` rounds to the start of the unit. As the end of a range it
 * rounds to the end of the unit when it is the last step, so that `now-1M/M` to `now-1M/M` is all of last month while
 * `now/d+8h` to `now/d+17h` is a working day. Units: s m h d w M Q y; weeks begin on Monday.
 */
import { momentOf, type Wall, wallOf, type Zone } from "./zone";

export type Edge = "start" | "end";
type Unit = "s" | "m" | "h" | "d" | "w" | "M" | "Q" | "y";
type Step = { sign: "+" | "-" | "/"; count: number; unit: Unit };

/** More would be no range of time that anybody means. */
const mostSteps = 8;

/** Whether a text is an expression of this grammar. */
export function isExpression(text: string): boolean {
  return stepsOf(text) !== undefined;
}

/** Whether the moment goes along with now at every instant: nothing in it is rounded. */
export function isRounded(text: string): boolean {
  return stepsOf(text)?.some(({ sign }) => sign === "/") ?? false;
}

/** The moment in milliseconds; `undefined` when the text is no expression. */
export function resolve(text: string, now: number, zone: Zone, edge: Edge): number | undefined {
  const steps = stepsOf(text);
  if (steps === undefined) return undefined;
  return steps.reduce((moment, step, index) => {
    if (step.sign !== "/") return shifted(moment, step.sign === "+" ? step.count : -step.count, step.unit, zone);
    const start = startOf(moment, step.unit, zone);
    return edge === "end" && index === steps.length - 1 ? shifted(start, 1, step.unit, zone) : start;
  }, now);
}

function stepsOf(text: string): Step[] | undefined {
  const trimmed = text.trim();
  if (!/^now(?:[+-]\d{1,6}[smhdwMQy]|\/[smhdwMQy])*$/.test(trimmed)) return undefined;
  const steps = [...trimmed.matchAll(/([+-])(\d+)([a-zA-Z])|\/([a-zA-Z])/g)].map(([, sign, count, unit, round]) =>
    round === undefined
      ? ({ sign: sign as "+" | "-", count: Number(count), unit: unit as Unit } satisfies Step)
      : ({ sign: "/", count: 0, unit: round as Unit } satisfies Step),
  );
  return steps.length <= mostSteps ? steps : undefined;
}

const milliseconds: Partial<Record<Unit, number>> = { s: 1000, m: 60_000, h: 3_600_000 };

/** Days and longer keep the time of day, whatever the clock does between; a day that a month lacks is its last. */
export function shifted(moment: number, count: number, unit: Unit, zone: Zone): number {
  const exact = milliseconds[unit];
  if (exact !== undefined) return moment + count * exact;
  const wall = wallOf(moment, zone);
  const rest = moment - Math.floor(moment / 1000) * 1000;
  if (unit === "d" || unit === "w") {
    return momentOf({ ...wall, day: wall.day + count * (unit === "w" ? 7 : 1) }, zone) + rest;
  }
  const months = wall.year * 12 + wall.month - 1 + count * { M: 1, Q: 3, y: 12 }[unit as "M" | "Q" | "y"];
  const [year, month] = [Math.floor(months / 12), (((months % 12) + 12) % 12) + 1];
  const day = Math.min(wall.day, daysOf(year, month));
  return momentOf({ ...wall, year, month, day }, zone) + rest;
}

function startOf(moment: number, unit: Unit, zone: Zone): number {
  const wall: Wall = wallOf(moment, zone);
  const { year, month, day, hour, minute } = wall;
  const midnight = { hour: 0, minute: 0, second: 0 };
  switch (unit) {
    case "s":
      return Math.floor(moment / 1000) * 1000;
    case "m":
      return momentOf({ ...wall, minute, second: 0 }, zone);
    case "h":
      return momentOf({ ...wall, hour, minute: 0, second: 0 }, zone);
    case "d":
      return momentOf({ year, month, day, ...midnight }, zone);
    case "w":
      return momentOf({ year, month, day: day - ((weekday(wall) + 6) % 7), ...midnight }, zone);
    case "M":
      return momentOf({ year, month, day: 1, ...midnight }, zone);
    case "Q":
      return momentOf({ year, month: month - ((month - 1) % 3), day: 1, ...midnight }, zone);
    case "y":
      return momentOf({ year, month: 1, day: 1, ...midnight }, zone);
  }
}

/** 0 is Sunday. */
function weekday({ year, month, day }: Wall): number {
  return new Date(Date.UTC(year, month - 1, day)).getUTCDay();
}

function daysOf(year: number, month: number): number {
  return new Date(Date.UTC(year, month, 0)).getUTCDate();
}
