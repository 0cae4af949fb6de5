/** Agents as the contract has them, until the document of the API has them. */
import { RequestError } from "./problem";
import type { Problem } from "./schema";

export type AgentState = "online" | "stale" | "offline" | "unknown" | "never" | "disabled";
export type CollectorState = "running" | "degraded" | "failed" | "idle";
export type AgentLocation = { name?: string | null; latitude?: number | null; longitude?: number | null };
export type AgentClock = { offset_seconds: number; error_seconds: number; synchronised: boolean };
export type AgentSpool = { bytes: number; batches: number; oldest?: string | null; dropped: number };
export type AgentCollector = { name: string; state: CollectorState; message?: string | null; items: number };
export type Agent = {
  id: string;
  name: string;
  origin: "local" | "enrolled";
  state: AgentState;
  enabled: boolean;
  global: boolean;
  foreign: boolean;
  own_labels: Record<string, string>;
  labels: Record<string, string>;
  group?: string | null;
  location?: AgentLocation | null;
  version?: string | null;
  hostname?: string | null;
  os?: string | null;
  arch?: string | null;
  install?: "plain" | "package" | "container" | null;
  peer_address?: string | null;
  addresses: string[];
  reflector_port?: number | null;
  last_seen?: string | null;
  connected_since?: string | null;
  clock?: AgentClock | null;
  spool?: AgentSpool | null;
  collectors: AgentCollector[];
  assigned_revision: number;
  applied_revision: number;
  cloned_at?: string | null;
  created: string;
  enrolled_key?: string | null;
};
export type AgentPatch = {
  name?: string | null;
  labels?: Record<string, string> | null;
  group?: string | null;
  location?: AgentLocation | null;
  enabled?: boolean | null;
  global?: boolean | null;
};
export type EnrolmentToken = {
  id: string;
  name?: string | null;
  labels: Record<string, string>;
  group?: string | null;
  created: string;
  expires: string;
};
export type EnrolmentTokenCreate = {
  name?: string;
  labels?: Record<string, string>;
  group?: string;
  expires_in_seconds?: number;
};
export type EnrolmentTokenMade = {
  token: EnrolmentToken;
  secret: string;
  commands: { plain: string; systemd: string; container: string };
};
export type SystemInformation = {
  hostname: string;
  os: string;
  kernel: string;
  arch: string;
  container?: string | null;
  boot_time: string;
  uptime: number;
  cpu: { model: string; logical: number; busy?: number | null; load: number[] };
  memory: { total: number; available: number; swap_total: number; swap_used: number };
  disks: { mount: string; device: string; file_system: string; total: number; available: number }[];
  interfaces: { name: string; received: number; sent: number; faults: number }[];
  processes: number;
};
export type NetworkInformation = {
  interfaces: { name: string; index: number; mac?: string | null; mtu: number; up: boolean; addresses: string[] }[];
  routes: { destination: string; gateway?: string | null; interface: string; metric: number }[];
  route_count: number;
  gateways: { address: string; interface: string; metric: number }[];
  resolvers: string[];
  public?: {
    address: string;
    name?: string | null;
    country?: string | null;
    asn?: number | null;
    organisation?: string | null;
  } | null;
};
export type AgentInformation = {
  system?: SystemInformation | null;
  network?: NetworkInformation | null;
  time?: string | null;
};
/** What probes have of agents. */
export type WithAgents = { agents?: AgentSelector };
export type AgentSelector = { all?: boolean; ids?: string[]; labels?: Record<string, string> };
export type ListOf<T> = { items: T[]; next_cursor?: string | null };
type Words = Readonly<Record<string, string | number | undefined>>;

export async function raw<T>(
  method: string,
  path: string,
  { query = {}, body, tag, signal }: { query?: Words; body?: unknown; tag?: string; signal?: AbortSignal } = {},
): Promise<{ value: T; tag: string }> {
  const words = Object.entries(query).flatMap(([k, v]) => (v === undefined ? [] : [[k, String(v)]]));
  const url = words.length === 0 ? path : `${path}?${new URLSearchParams(words as [string, string][])}`;
  const headers: Record<string, string> = {};
  if (body !== undefined) headers["content-type"] = "application/json";
  if (tag !== undefined) headers["if-match"] = tag;
  const answer = await fetch(url, {
    method,
    headers,
    ...(body !== undefined && { body: JSON.stringify(body) }),
    ...(signal && { signal }),
  });
  const text = await answer.text();
  const value = text === "" ? undefined : JSON.parse(text);
  if (!answer.ok) throw new RequestError(value as Problem);
  return { value: value as T, tag: answer.headers.get("etag") ?? "*" };
}
