/**
 * Time ranges: the words of the URL and of the text field are the same.
 *
 * A relative range ends now and moves with it; an absolute one stands still; a calendar range follows the calendar: `now/d` to `now`,
 * `now-1M/M` to `now-1M/M` (see `grammar`). The API takes the first as `-15m`, everything else as two RFC 3339 times.
 * Limits: 10 seconds to 10 years; what is older than is kept is empty.
 */
import { isExpression, isRounded, resolve, shifted } from "./grammar";
import { momentOf, wallOf, type Zone } from "./zone";

export type TimeRange =
  | { readonly kind: "relative"; readonly seconds: number }
  | { readonly kind: "absolute"; readonly from: number; readonly to: number }
  | { readonly kind: "calendar"; readonly from: string; readonly to: string };

/** What the API takes: `to` is left out when it is now. */
export type RangeQuery = { from: string; to?: string };
export type Span = { from: number; to: number };

export const defaultRange: TimeRange = { kind: "relative", seconds: 300 };
const day = 86_400;
export const quickRanges: readonly number[] = [300, 900, 3600, 6 * 3600, day, 7 * day, 30 * day, 90 * day];

/** Ranges of the calendar that have a name. */
export const namedRanges = [
  { name: "today", from: "now/d", to: "now" },
  { name: "yesterday", from: "now-1d/d", to: "now-1d/d" },
  { name: "thisWeek", from: "now/w", to: "now" },
  { name: "lastWeek", from: "now-1w/w", to: "now-1w/w" },
  { name: "thisMonth", from: "now/M", to: "now" },
  { name: "lastMonth", from: "now-1M/M", to: "now-1M/M" },
] as const;

const unitSeconds: Readonly<Record<string, number>> = { s: 1, m: 60, min: 60, h: 3600, d: day, w: 7 * day };
const shortest = 10;
const longest = 3660 * day;

/** The range of a URL; what cannot be read is the default. */
export function rangeOfSearch(from: string | undefined, to: string | undefined): TimeRange {
  if (from === undefined) return defaultRange;
  const relative = parseRelative(from);
  if (relative !== undefined && (to === undefined || to === "now")) return relative;
  if (isExpression(from) && (to === undefined || isExpression(to))) return ofExpressions(from, to ?? "now");
  const [start, end] = [Date.parse(from), Date.parse(to ?? "")];
  return start < end ? { kind: "absolute", from: start, to: end } : defaultRange;
}

/** The words for a URL; the default range needs none. */
export function searchOfRange(range: TimeRange): { from: string | undefined; to: string | undefined } {
  if (isSame(range, defaultRange)) return { from: undefined, to: undefined };
  if (range.kind === "calendar") return { from: range.from, to: range.to === "now" ? undefined : range.to };
  const { from, to } = queryOfRange(range, { from: 0, to: 0 });
  return { from, to };
}

/** What to ask the API; `span` is where a calendar range lies now. */
export function queryOfRange(range: TimeRange, span: Span): RangeQuery {
  if (range.kind === "relative") return { from: `-${shortDuration(range.seconds)}` };
  const { from, to } = range.kind === "absolute" ? range : span;
  return { from: new Date(from).toISOString(), to: new Date(to).toISOString() };
}

/** Where a range lies. */
export function spanOf(range: TimeRange, now: number, zone: Zone): Span {
  switch (range.kind) {
    case "relative":
      return { from: now - range.seconds * 1000, to: now };
    case "absolute":
      return { from: range.from, to: range.to };
    case "calendar": {
      const from = resolve(range.from, now, zone, "start") ?? now;
      const to = resolve(range.to, now, zone, "end") ?? now;
      // The very start of a day: the range would be empty.
      return { from, to: Math.max(to, from + shortest * 1000) };
    }
  }
}

/** `90s`, `15m`, `1h`, `30d`: the shortest exact writing that the API reads. */
export function shortDuration(seconds: number): string {
  if (seconds % day === 0 && seconds > day) return `${seconds / day}d`;
  if (seconds % 3600 === 0) return `${seconds / 3600}h`;
  if (seconds % 60 === 0) return `${seconds / 60}m`;
  return `${seconds}s`;
}

/** A range as text that `parseTyped` reads back. */
export function writtenRange(range: TimeRange, zone: Zone): string {
  switch (range.kind) {
    case "relative":
      return `-${shortDuration(range.seconds)}`;
    case "absolute":
      return `${writtenMoment(range.from, zone)} – ${writtenMoment(range.to, zone)}`;
    case "calendar":
      return range.from === range.to ? range.from : `${range.from} – ${range.to}`;
  }
}

/** A moment as the field takes it: on the clock of the zone, to the second. */
export function writtenMoment(moment: number, zone: Zone): string {
  const { year, month, day, hour, minute, second } = wallOf(moment, zone);
  const two = (value: number) => String(value).padStart(2, "0");
  return `${year}-${two(month)}-${two(day)} ${two(hour)}:${two(minute)}:${two(second)}`;
}

/**
 * What a person types or pastes: `-15m`, `15 min`, `13h`, `now-1M/M`, `now/d to now/d+8h`, `2026-11-21 04:00 to 05:30`,
 * `2026-11-20` (the whole day), `04:00 – 04:20` (today), and what Grafana copies: `{"from":"now-6h","to":"now"}`.
 * Times without a zone are on the clock of `zone`. `undefined` when it is none of these, or is empty, reversed or too long.
 */
export function parseTyped(text: string, now: number, zone: Zone = undefined): TimeRange | undefined {
  const trimmed = text.trim();
  if (trimmed.startsWith("{")) return parseCopied(trimmed, now, zone);
  const relative = parseRelative(trimmed);
  if (relative !== undefined) return relative;
  const ends = trimmed.split(/\s+(?:to|until|bis|–|-)\s+|\s*–\s*|\s*\.\.\s*/);
  const [first = "", last = first] = ends;
  if (ends.length > 2) return undefined;
  if (isExpression(first) && isExpression(last)) {
    const to = ends.length === 1 && !isRounded(first) ? "now" : last;
    return checked(ofExpressions(first, to), now, zone);
  }
  if (ends.length === 1 && !/^\d{4}-\d{2}-\d{2}$/.test(first)) return undefined;
  const from = parseMoment(first, now, zone, "start", now);
  const to = parseMoment(last, from ?? now, zone, "end", now);
  return from === undefined || to === undefined ? undefined : checked({ kind: "absolute", from, to }, now, zone);
}

/** As Grafana puts a range into the clipboard; times as text or in milliseconds. */
function parseCopied(text: string, now: number, zone: Zone): TimeRange | undefined {
  try {
    const { from, to } = JSON.parse(text) as Record<string, unknown>;
    const word = (value: unknown) => (typeof value === "number" ? new Date(value).toISOString() : String(value));
    return parseTyped(`${word(from)} – ${word(to)}`, now, zone);
  } catch {
    return undefined;
  }
}

/** The clipboard's form of a range, which Grafana takes too. */
export function copiedRange(range: TimeRange): string {
  if (range.kind === "relative") return JSON.stringify({ from: `now-${shortDuration(range.seconds)}`, to: "now" });
  if (range.kind === "calendar") return JSON.stringify({ from: range.from, to: range.to });
  return JSON.stringify({ from: new Date(range.from).toISOString(), to: new Date(range.to).toISOString() });
}

/**
 * The range moved by its own length, or by a whole unit when it is one: the month before January is December, not 31 days earlier.
 * Never beyond now.
 */
export function shiftedRange(range: TimeRange, direction: -1 | 1, now: number, zone: Zone): TimeRange {
  const { from, to } = spanOf(range, now, zone);
  const unit = range.kind === "calendar" ? wholeUnit(range) : undefined;
  const moved =
    unit === undefined
      ? { from: from + direction * (to - from), to: to + direction * (to - from) }
      : { from: shifted(from, direction, unit, zone), to: shifted(to, direction, unit, zone) };
  const over = direction > 0 ? Math.max(0, moved.to - now) : 0;
  return { kind: "absolute", from: moved.from - over, to: moved.to - over };
}

/** The range made longer or shorter about its middle; one that ends now still ends now when it was relative. */
export function scaledRange(range: TimeRange, factor: number, now: number, zone: Zone): TimeRange {
  if (range.kind === "relative") {
    return { kind: "relative", seconds: Math.min(longest, Math.max(shortest, Math.round(range.seconds * factor))) };
  }
  const { from, to } = spanOf(range, now, zone);
  const half = Math.min(longest * 1000, Math.max(shortest * 1000, (to - from) * factor)) / 2;
  const middle = (from + to) / 2;
  const end = Math.min(Math.round(middle + half), Math.max(now, to));
  return { kind: "absolute", from: Math.round(end - 2 * half), to: end };
}

export function isSame(a: TimeRange, b: TimeRange): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}

/** `now-13h` to `now` is a relative range; everything else stays as it is written. */
function ofExpressions(from: string, to: string): TimeRange {
  const simple = to === "now" ? parseRelative(from.replace(/^now/, "")) : undefined;
  return simple ?? { kind: "calendar", from: from.trim(), to: to.trim() };
}

function checked(range: TimeRange, now: number, zone: Zone): TimeRange | undefined {
  if (range.kind === "relative") return range;
  const [from, to] =
    range.kind === "absolute"
      ? [range.from, range.to]
      : [resolve(range.from, now, zone, "start"), resolve(range.to, now, zone, "end")];
  if (from === undefined || to === undefined || from >= to || to - from > longest * 1000) return undefined;
  return range;
}

function parseRelative(text: string): TimeRange | undefined {
  const match = /^[-−]?\s*(\d{1,6})\s*(s|m|min|h|d|w)$/.exec(text.trim());
  const seconds = Number(match?.[1]) * (unitSeconds[match?.[2] ?? ""] ?? Number.NaN);
  return seconds >= shortest && seconds <= longest ? { kind: "relative", seconds } : undefined;
}

/** An expression, a full date and time, a date (its start or its end), or a time of day on the day of `near`. */
function parseMoment(text: string, near: number, zone: Zone, edge: "start" | "end", now: number): number | undefined {
  const trimmed = text.trim();
  if (isExpression(trimmed)) return resolve(trimmed, now, zone, edge);
  const match = /^(?:(\d{4})-(\d{2})-(\d{2}))?(?:(?:^|[T\s]+)(\d{1,2}):(\d{2})(?::(\d{2})(?:\.\d+)?)?)?$/.exec(trimmed);
  if (match === null || trimmed === "") {
    const moment = /[Zz]|[+-]\d{2}:\d{2}$/.test(trimmed) ? Date.parse(trimmed) : Number.NaN;
    return Number.isNaN(moment) ? undefined : moment;
  }
  const [year, month, date, hour, minute, second] = match.slice(1).map((part) => (part ? Number(part) : undefined));
  const base = year === undefined ? wallOf(near, zone) : { year, month: month ?? 0, day: date ?? 0 };
  const wholeDay = hour === undefined;
  const wall = { ...base, hour: hour ?? 0, minute: minute ?? 0, second: second ?? 0 };
  if (wall.month < 1 || wall.month > 12 || wall.day < 1 || wall.day > 31 || wall.hour > 24 || wall.minute > 59) {
    return undefined;
  }
  return momentOf({ ...wall, day: wall.day + (wholeDay && edge === "end" ? 1 : 0) }, zone);
}

/** The unit of a range like `now-1M/M` to itself. */
function wholeUnit({ from, to }: { from: string; to: string }): "d" | "w" | "M" | "Q" | "y" | undefined {
  const unit = /\/([dwMQy])$/.exec(from)?.[1];
  return from === to ? (unit as "d" | "w" | "M" | "Q" | "y" | undefined) : undefined;
}
