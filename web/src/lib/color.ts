/**
 * One colour for one thing, on all pages: a key gets the place in the Okabe–Ito order that the fewest others have, and keeps it for the
 * session. The first seven things of a session never meet in one place, whichever page shows them first.
 *
 * Two keys shown together never share a place while there are free ones: the later one moves to a free place, and keeps it.
 * Limits: seven places. The names that are on nearly every chart have fixed places, so that they never collide.
 */
export const places = 7;

/** Place of "other": always grey. */
export const otherPlace = 0;

const fixed: Readonly<Record<string, number>> = {
  in: 2,
  out: 1,
  tcp: 2,
  udp: 1,
  icmp: 3,
  icmpv6: 4,
  arp: 7,
  https: 2,
  dns: 1,
  http: 3,
  ssh: 7,
  quic: 5,
};

const assigned = new Map<string, number>();
/** How many keys have each place. */
const used: number[] = Array.from({ length: places + 1 }, () => 0);

/** Places 1 to 7 for the keys of one chart, largest first; 0 for "other" (the empty key). */
export function placesOf(keys: readonly string[]): number[] {
  const taken = new Set<number>();
  const unsettled: number[] = [];
  const result = keys.map((key, index) => {
    if (key === "") return otherPlace;
    const place = fixed[key] ?? assigned.get(key);
    if (place === undefined || (taken.has(place) && taken.size < places)) {
      unsettled.push(index);
      return otherPlace;
    }
    taken.add(place);
    return place;
  });
  for (const index of unsettled) {
    const key = keys[index] ?? "";
    const place = leastUsed(1 + (hash(key) % places), taken);
    taken.add(place);
    if (fixed[key] === undefined) settle(key, place);
    result[index] = place;
  }
  return result;
}

/** The place of one key. */
export function placeOf(key: string): number {
  return placesOf([key])[0] ?? otherPlace;
}

export function cssVariable(place: number): string {
  return place === otherPlace ? "var(--series-other)" : `var(--series-${place})`;
}

/** The free place that the fewest keys have, from `wanted` on; `wanted` when none is free. */
function leastUsed(wanted: number, taken: ReadonlySet<number>): number {
  let best = wanted;
  let fewest = Number.POSITIVE_INFINITY;
  for (let step = 0; step < places; step += 1) {
    const place = 1 + ((wanted - 1 + step) % places);
    const count = used[place] ?? 0;
    if (taken.has(place) || count >= fewest) continue;
    best = place;
    fewest = count;
  }
  return best;
}

function settle(key: string, place: number): void {
  const before = assigned.get(key);
  if (before !== undefined) used[before] = (used[before] ?? 1) - 1;
  assigned.set(key, place);
  used[place] = (used[place] ?? 0) + 1;
}

/** FNV-1a over UTF-16 units. */
function hash(text: string): number {
  let value = 0x811c9dc5;
  for (let i = 0; i < text.length; i += 1) value = Math.imul(value ^ text.charCodeAt(i), 0x01000193);
  return value >>> 0;
}
