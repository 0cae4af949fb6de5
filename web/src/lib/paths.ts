/**
 * The one builder of links. A page that does not exist, or an address that is not encoded, does not compile or does not pass here.
 *
 * `to` and `params` go to the router's `Link`, which encodes; `csv` and `start` are plain addresses.
 */
import type { AppSearch } from "~/app/search";

export type Target = { to: string; params?: Record<string, string>; search: AppSearch };

/** Words of the URL that go along from page to page: the range of time, nothing else. */
export function carried(search: AppSearch): AppSearch {
  return { from: search.from, to: search.to };
}

export const paths = {
  overview: (time: AppSearch = {}) => ({ to: "/", search: carried(time) }) as const,
  traffic: (time: AppSearch = {}, state: Omit<AppSearch, "from" | "to"> = {}) =>
    ({ to: "/traffic", search: { ...state, ...carried(time) } }) as const,
  flow: (id: string, time: AppSearch = {}) => ({ to: "/flows/$id", params: { id }, search: carried(time) }) as const,
  host: (address: string, time: AppSearch = {}) =>
    ({ to: "/hosts/$address", params: { address }, search: carried(time) }) as const,
  events: (time: AppSearch = {}) => ({ to: "/events", search: carried(time) }) as const,
  health: (time: AppSearch = {}) => ({ to: "/health", search: carried(time) }) as const,
  settings: (time: AppSearch = {}) => ({ to: "/settings", search: carried(time) }) as const,
};

/** The host of a text that a person typed, when it is an address. */
export function addressIn(text: string): string | undefined {
  const trimmed = text.trim().replace(/^\[(.*)\]$/, "$1");
  if (isIpv4(trimmed)) return trimmed;
  return isIpv6(trimmed) ? trimmed.toLowerCase() : undefined;
}

function isIpv4(text: string): boolean {
  const parts = text.split(".");
  return parts.length === 4 && parts.every((part) => /^\d{1,3}$/.test(part) && Number(part) <= 255);
}

/** Groups of RFC 4291, with at most one `::`, and an IPv4 tail. */
function isIpv6(text: string): boolean {
  if (!/^[0-9a-f:.]+$/i.test(text) || !text.includes(":") || text.includes(":::")) return false;
  const halves = text.split("::");
  if (halves.length > 2) return false;
  const groups = halves.flatMap((half) => (half === "" ? [] : half.split(":")));
  const tail = groups.at(-1)?.includes(".") ? groups.pop() : undefined;
  if (tail !== undefined && !isIpv4(tail)) return false;
  const size = groups.length + (tail === undefined ? 0 : 2);
  return groups.every((group) => /^[0-9a-f]{1,4}$/i.test(group)) && (halves.length === 2 ? size < 8 : size === 8);
}

/** The list of flows as a file: the same question, up to the largest page. */
export function flowsCsv(question: Readonly<Record<string, string | number | undefined>>): string {
  const words = new URLSearchParams({ format: "csv" });
  for (const [name, value] of Object.entries({ ...question, limit: 1000 })) {
    if (value !== undefined && name !== "cursor") words.set(name, String(value));
  }
  return `/api/v1/flows?${words}`;
}
