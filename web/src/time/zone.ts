/**
 * Wall clocks of time zones: from a moment to what a clock on the wall shows, and back.
 *
 * A zone is an IANA name, or `undefined` for that of the browser. A time that a zone skips in spring is the moment by which the clock
 * has jumped; a time that it repeats in autumn is the first of the two.
 */
export type Zone = string | undefined;

/** What a clock shows; months begin at 1. */
export type Wall = { year: number; month: number; day: number; hour: number; minute: number; second: number };

/** Whether the browser knows a zone of this name. */
export function isZone(name: string): boolean {
  try {
    return new Intl.DateTimeFormat("en", { timeZone: name }).resolvedOptions().timeZone !== "";
  } catch {
    return false;
  }
}

export function wallOf(moment: number, zone: Zone): Wall {
  const found: Record<string, number> = {};
  for (const { type, value } of formatterOf(zone).formatToParts(moment)) found[type] = Number(value);
  const { year = 1970, month = 1, day = 1, hour = 0, minute = 0, second = 0 } = found;
  return { year, month, day, hour, minute, second };
}

/** The moment at which a clock shows this. Fields beyond their range carry over: day 0 is the last of the month before. */
export function momentOf(wall: Wall, zone: Zone): number {
  const wanted = Date.UTC(wall.year, wall.month - 1, wall.day, wall.hour, wall.minute, wall.second);
  // The offset a day before decides for repeated hours; one step more settles everything else.
  const candidates = [wanted - 86_400_000, wanted + 86_400_000].map((near) => wanted - offsetAt(near, zone));
  return candidates.find((moment) => moment + offsetAt(moment, zone) === wanted) ?? candidates[0] ?? wanted;
}

/** Milliseconds by which the wall clock is ahead of UTC. */
function offsetAt(moment: number, zone: Zone): number {
  const { year, month, day, hour, minute, second } = wallOf(moment, zone);
  return Date.UTC(year, month - 1, day, hour, minute, second) - Math.floor(moment / 1000) * 1000;
}

const formatters = new Map<Zone, Intl.DateTimeFormat>();

function formatterOf(zone: Zone): Intl.DateTimeFormat {
  let found = formatters.get(zone);
  if (found === undefined) {
    found = new Intl.DateTimeFormat("en", {
      ...(zone === undefined ? {} : { timeZone: zone }),
      hourCycle: "h23",
      year: "numeric",
      month: "numeric",
      day: "numeric",
      hour: "numeric",
      minute: "numeric",
      second: "numeric",
    });
    formatters.set(zone, found);
  }
  return found;
}
