/**
 * Time ranges: the words of the URL, of the API and of the text field are the same.
 *
 * A relative range ends now and moves with it; an absolute one stands still. `from=-15m` and RFC 3339 times are what the API takes.
 * Limits: 10 seconds to 24 hours; the server keeps 60 minutes and says from when.
 */
export type TimeRange =
  | { readonly kind: "relative"; readonly seconds: number }
  | { readonly kind: "absolute"; readonly from: number; readonly to: number };

/** What the API takes: `to` is left out when it is now. */
export type RangeQuery = { from: string; to?: string };

export const defaultRange: TimeRange = { kind: "relative", seconds: 300 };
export const quickRanges: readonly number[] = [60, 300, 900, 3600];

const unitSeconds: Readonly<Record<string, number>> = { s: 1, m: 60, min: 60, h: 3600, d: 86_400 };
const shortest = 10;
const longest = 86_400;

/** The range of a URL; what cannot be read is the default. */
export function rangeOfSearch(from: string | undefined, to: string | undefined): TimeRange {
  if (from === undefined) return defaultRange;
  const relative = parseRelative(from);
  if (relative !== undefined && (to === undefined || to === "now")) return relative;
  const [start, end] = [Date.parse(from), Date.parse(to ?? "")];
  return start < end ? { kind: "absolute", from: start, to: end } : defaultRange;
}

/** The words for a URL; the default range needs none. */
export function searchOfRange(range: TimeRange): { from: string | undefined; to: string | undefined } {
  if (range.kind === "relative" && range.seconds === quickDefault()) return { from: undefined, to: undefined };
  const { from, to } = queryOfRange(range);
  return { from, to };
}

export function queryOfRange(range: TimeRange): RangeQuery {
  if (range.kind === "relative") return { from: `-${shortDuration(range.seconds)}` };
  return { from: new Date(range.from).toISOString(), to: new Date(range.to).toISOString() };
}

export function secondsOf(range: TimeRange): number {
  return range.kind === "relative" ? range.seconds : (range.to - range.from) / 1000;
}

/** `90s`, `15m`, `1h`: the shortest exact writing. */
export function shortDuration(seconds: number): string {
  if (seconds % 3600 === 0) return `${seconds / 3600}h`;
  if (seconds % 60 === 0) return `${seconds / 60}m`;
  return `${seconds}s`;
}

/**
 * What a person types: `-15m`, `15 min`, `1h`, `2026-11-21 04:00 to 05:30`, `04:00 – 04:20` (today).
 * Times without a zone are local. `undefined` when it is none of these, or is empty, reversed or too long.
 */
export function parseTyped(text: string, now: number): TimeRange | undefined {
  const trimmed = text.trim();
  const relative = parseRelative(trimmed);
  if (relative !== undefined) return relative;
  const ends = trimmed.split(/\s+(?:to|until|bis|–|-)\s+|\s*–\s*|\s*\.\.\s*/);
  if (ends.length !== 2) return undefined;
  const from = parseMoment(ends[0] ?? "", now);
  const to = ends[1] === "now" ? now : parseMoment(ends[1] ?? "", from ?? now);
  if (from === undefined || to === undefined || from >= to || to - from > longest * 1000) return undefined;
  return { kind: "absolute", from, to };
}

function parseRelative(text: string): TimeRange | undefined {
  const match = /^[-−]?\s*(\d{1,6})\s*(s|m|min|h|d)$/.exec(text.trim());
  const seconds = Number(match?.[1]) * (unitSeconds[match?.[2] ?? ""] ?? Number.NaN);
  return seconds >= shortest && seconds <= longest ? { kind: "relative", seconds } : undefined;
}

/** A full date and time, or a time of day on the local day of `day`. */
function parseMoment(text: string, day: number): number | undefined {
  const clock = /^(\d{1,2}):(\d{2})(?::(\d{2}))?$/.exec(text.trim());
  if (clock !== null) {
    const moment = new Date(day);
    moment.setHours(Number(clock[1]), Number(clock[2]), Number(clock[3] ?? 0), 0);
    return moment.getTime();
  }
  const moment = Date.parse(text.trim().replace(/^(\d{4}-\d{2}-\d{2})\s+(?=\d)/, "$1T"));
  return Number.isNaN(moment) ? undefined : moment;
}

function quickDefault(): number {
  return defaultRange.kind === "relative" ? defaultRange.seconds : 0;
}
