/** The ranges that were chosen last, kept in the browser: at most five, newest first, none twice. */
import { isSame, rangeOfSearch, searchOfRange, type TimeRange } from "./range";

const storageKey = "netwatch.ranges";
const most = 5;

export function recentRanges(): TimeRange[] {
  try {
    const stored: unknown = JSON.parse(localStorage.getItem(storageKey) ?? "[]");
    if (!Array.isArray(stored)) return [];
    return stored
      .slice(0, most)
      .flatMap((one: { from?: unknown; to?: unknown } | null) =>
        typeof one?.from === "string" ? [rangeOfSearch(one.from, typeof one.to === "string" ? one.to : undefined)] : [],
      );
  } catch {
    // Damaged or forbidden storage is the same as none.
    return [];
  }
}

export function noteRecent(range: TimeRange): void {
  if (searchOfRange(range).from === undefined) return;
  const kept = [range, ...recentRanges().filter((one) => !isSame(one, range))].slice(0, most);
  try {
    localStorage.setItem(storageKey, JSON.stringify(kept.map(searchOfRange)));
  } catch {
    // Private windows may forbid storage; the list is then empty.
  }
}
