/** The form of an agent: what is typed, what is wrong with it, and what is sent. Pure. */
import type { Agent, AgentLocation, AgentPatch } from "~/api/schema";
import { labelsText, parseLabels } from "./labels";

export type AgentDraft = {
  name: string;
  group: string;
  labels: string;
  place: string;
  latitude: string;
  longitude: string;
  enabled: boolean;
  global: boolean;
};

export function draftOf({ name, group, labels, own_labels, location, enabled, global }: Agent): AgentDraft {
  return {
    name,
    group: group ?? "",
    // Those of its own configuration are changed there.
    labels: labelsText(Object.fromEntries(Object.entries(labels).filter(([key, value]) => own_labels[key] !== value))),
    place: location?.name ?? "",
    latitude: textOf(location?.latitude),
    longitude: textOf(location?.longitude),
    enabled,
    global,
  };
}

/** Which part cannot be sent. Both coordinates or none: degrees north and east. */
export function faultOf(draft: AgentDraft): "labels" | "place" | undefined {
  if (parseLabels(draft.labels).refused.length > 0) return "labels";
  const [north, east] = [degrees(draft.latitude), degrees(draft.longitude)];
  if (north === undefined && east === undefined) return undefined;
  return north !== undefined && east !== undefined && Math.abs(north) <= 90 && Math.abs(east) <= 180
    ? undefined
    : "place";
}

/** Only what differs from before; an empty group and a location without fields are taken away. */
export function patchOf(draft: AgentDraft, before: Agent): AgentPatch {
  const was = draftOf(before);
  const { labels } = parseLabels(draft.labels);
  const moved = draft.place !== was.place || draft.latitude !== was.latitude || draft.longitude !== was.longitude;
  return {
    ...(draft.name.trim() !== was.name && { name: draft.name.trim() }),
    ...(draft.group.trim() !== was.group && { group: draft.group.trim() }),
    ...(labelsText(labels) !== was.labels && { labels }),
    ...(moved && { location: locationOf(draft) }),
    ...(draft.enabled !== was.enabled && { enabled: draft.enabled }),
    ...(draft.global !== was.global && { global: draft.global }),
  };
}

function locationOf(draft: AgentDraft): AgentLocation {
  const name = draft.place.trim();
  const [latitude, longitude] = [degrees(draft.latitude), degrees(draft.longitude)];
  return { ...(name !== "" && { name }), ...(latitude !== undefined && { latitude, longitude: longitude ?? 0 }) };
}

function textOf(value: number | null | undefined): string {
  return value == null ? "" : String(value);
}

/** A number as people of either language type it; `NaN` for a text that is none. */
function degrees(text: string): number | undefined {
  const trimmed = text.trim().replace(",", ".");
  return trimmed === "" ? undefined : Number(trimmed);
}
