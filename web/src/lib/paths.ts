/**
 * The one builder of links. A page that does not exist, or an address that is not encoded, does not compile or does not pass here.
 *
 * `to` and `params` go to the router's `Link`, which encodes; files and the way to an identity provider are plain addresses.
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
  history: (time: AppSearch = {}, state: Omit<AppSearch, "from" | "to"> = {}) =>
    ({ to: "/history", search: { ...state, ...carried(time) } }) as const,
  series: (time: AppSearch = {}, state: Omit<AppSearch, "from" | "to"> = {}) =>
    ({ to: "/series", search: { ...state, ...carried(time) } }) as const,
  view: (view: string) => ({ to: "/views/$view", params: { view }, search: {} }) as const,
  storage: (time: AppSearch = {}) => ({ to: "/storage", search: carried(time) }) as const,
  probes: (time: AppSearch = {}, state: Pick<AppSearch, "q" | "rank"> = {}) =>
    ({ to: "/probes", search: { ...state, ...carried(time) } }) as const,
  newProbe: (time: AppSearch = {}) => ({ to: "/probes/new", search: carried(time) }) as const,
  uptime: (time: AppSearch = {}, state: Pick<AppSearch, "period" | "at"> = {}) =>
    ({ to: "/probes/uptime", search: { ...state, ...carried(time) } }) as const,
  maintenance: (time: AppSearch = {}) => ({ to: "/probes/maintenance", search: carried(time) }) as const,
  matrix: (time: AppSearch = {}) => ({ to: "/probes/matrix", search: carried(time) }) as const,
  voice: (time: AppSearch = {}, state: Pick<AppSearch, "q" | "codec" | "pair"> = {}) =>
    ({ to: "/probes/voice", search: { ...state, ...carried(time) } }) as const,
  networkMap: (time: AppSearch = {}, state: Pick<AppSearch, "q" | "probe" | "agent" | "node"> = {}) =>
    ({ to: "/probes/map", search: { ...state, ...carried(time) } }) as const,
  probe: (probe: string, time: AppSearch = {}, state: Omit<AppSearch, "from" | "to"> = {}) =>
    ({ to: "/probes/$probe", params: { probe }, search: { ...state, ...carried(time) } }) as const,
  editProbe: (probe: string, time: AppSearch = {}) =>
    ({ to: "/probes/$probe/edit", params: { probe }, search: carried(time) }) as const,
  traces: (probe: string, time: AppSearch = {}, state: Pick<AppSearch, "trace" | "against" | "agent"> = {}) =>
    ({ to: "/probes/$probe/traces", params: { probe }, search: { ...state, ...carried(time) } }) as const,
  agents: (time: AppSearch = {}, state: Pick<AppSearch, "q" | "state"> = {}) =>
    ({ to: "/agents", search: { ...state, ...carried(time) } }) as const,
  agent: (agent: string, time: AppSearch = {}) =>
    ({ to: "/agents/$agent", params: { agent }, search: carried(time) }) as const,
  events: (time: AppSearch = {}) => ({ to: "/events", search: carried(time) }) as const,
  health: (time: AppSearch = {}) => ({ to: "/health", search: carried(time) }) as const,
  settings: (time: AppSearch = {}) => ({ to: "/settings", search: carried(time) }) as const,
  account: (time: AppSearch = {}) => ({ to: "/settings/account", search: carried(time) }) as const,
  workspace: (time: AppSearch = {}) => ({ to: "/settings/workspace", search: carried(time) }) as const,
  members: (time: AppSearch = {}) => ({ to: "/settings/members", search: carried(time) }) as const,
  roles: (time: AppSearch = {}) => ({ to: "/settings/roles", search: carried(time) }) as const,
  networks: (time: AppSearch = {}) => ({ to: "/settings/networks", search: carried(time) }) as const,
  tokens: (time: AppSearch = {}) => ({ to: "/settings/tokens", search: carried(time) }) as const,
  audit: (time: AppSearch = {}, state: Pick<AppSearch, "q" | "scope" | "action" | "outcome"> = {}) =>
    ({ to: "/settings/audit", search: { ...state, ...carried(time) } }) as const,
  users: (time: AppSearch = {}, state: Pick<AppSearch, "q" | "user"> = {}) =>
    ({ to: "/settings/users", search: { ...state, ...carried(time) } }) as const,
  workspaces: (time: AppSearch = {}) => ({ to: "/settings/workspaces", search: carried(time) }) as const,
  welcome: (step: AppSearch["step"]) => ({ to: "/welcome", search: { step } }) as const,
  register: () => ({ to: "/register", search: {} }) as const,
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

/** Where signing in with an identity provider begins; the browser goes there. */
export function identityProvider(id: string): string {
  return `/auth/oidc/${encodeURIComponent(id)}/start`;
}

/** A page of the audit log as a file. */
export function auditFile(
  question: Readonly<Record<string, string | number | undefined>>,
  format: "csv" | "json",
  site: boolean,
): string {
  const words = new URLSearchParams({ format, limit: "500" });
  for (const [name, value] of Object.entries(question)) {
    if (value !== undefined && name !== "limit" && name !== "cursor") words.set(name, String(value));
  }
  return `${site ? "/api/v1/site/audit" : "/api/v1/audit"}?${words}`;
}

/** An answer of the flow explorer as a file: the same question. */
export function historyFile(
  question: Readonly<Record<string, string | number | boolean | undefined>>,
  format: "csv" | "json",
): string {
  const words = new URLSearchParams({ format });
  for (const [name, value] of Object.entries(question)) if (value !== undefined) words.set(name, String(value));
  return `/api/v1/history/explore?${words}`;
}

/** How long probes were up as a file: the same question, up to the largest page. */
export function uptimeFile(question: Readonly<Record<string, string | number | boolean | undefined>>): string {
  const words = new URLSearchParams({ format: "csv", limit: "100" });
  for (const [name, value] of Object.entries(question)) {
    if (value !== undefined && name !== "limit" && name !== "cursor") words.set(name, String(value));
  }
  return `/api/v1/uptime?${words}`;
}
