import { expect, it } from "vitest";
import type { Agent } from "~/api/schema";
import { draftOf, faultOf, patchOf } from "./agent-draft";

const agent = {
  name: "edge",
  group: "berlin",
  labels: { site: "berlin", rack: "4" },
  own_labels: { rack: "4" },
  location: { name: "Rack 4", latitude: 52.5, longitude: 13.4 },
  enabled: true,
  global: false,
} as unknown as Agent;

it("sends nothing when nothing was changed", () => expect(patchOf(draftOf(agent), agent)).toEqual({}));

it("sends what was changed, and takes away what was emptied", () => {
  const draft = { ...draftOf(agent), name: " core ", group: "", labels: "role=core", enabled: false };
  expect(patchOf(draft, agent)).toEqual({ name: "core", group: "", labels: { role: "core" }, enabled: false });
  const nowhere = { ...draftOf(agent), place: "", latitude: "", longitude: "" };
  expect(patchOf(nowhere, agent)).toEqual({ location: {} });
});

it("takes numbers as either language writes them", () =>
  expect(patchOf({ ...draftOf(agent), latitude: "48,1", longitude: "11,6" }, agent)).toEqual({
    location: { name: "Rack 4", latitude: 48.1, longitude: 11.6 },
  }));

it("leaves labels of the agent's own configuration alone", () => expect(draftOf(agent).labels).toBe("site=berlin"));

it("says what cannot be sent", () => {
  expect(faultOf(draftOf(agent))).toBeUndefined();
  expect(faultOf({ ...draftOf(agent), labels: "berlin" })).toBe("labels");
  for (const [latitude, longitude] of [
    ["91", "0"],
    ["north", "0"],
    ["1", ""],
    ["0", "181"],
  ] as const) {
    expect(faultOf({ ...draftOf(agent), latitude, longitude })).toBe("place");
  }
});
