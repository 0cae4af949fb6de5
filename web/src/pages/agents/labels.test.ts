import { expect, it } from "vitest";
import { labelsText, matches, mostLabels, parseLabels } from "./labels";

it("reads labels on lines and between commas", () =>
  expect(parseLabels("site=berlin, role = edge\n\nbuilding=4=west")).toEqual({
    labels: { site: "berlin", role: "edge", building: "4=west" },
    refused: [],
  }));

it("says which words are no labels", () =>
  expect(parseLabels("berlin, =x, site=\nrole=edge").refused).toEqual(["berlin", "=x", "site="]));

it("takes as many as the server does, and the last of equal names", () => {
  const many = Array.from({ length: mostLabels + 2 }, (_, i) => `n${i}=v`);
  const parsed = parseLabels([...many, "n0=w"].join("\n"));
  expect(Object.keys(parsed.labels)).toHaveLength(mostLabels);
  expect([parsed.labels.n0, parsed.refused]).toEqual(["w", many.slice(mostLabels)]);
});

it("refuses names and values that are too long in octets", () => {
  expect(parseLabels(`site=${"ü".repeat(64)}`).refused).toEqual([]);
  expect(parseLabels(`site=${"ü".repeat(65)}`).refused).toHaveLength(1);
});

it("gives back what it was given", () => {
  const labels = { site: "berlin", role: "edge" };
  expect(parseLabels(labelsText(labels)).labels).toEqual(labels);
});

it("chooses by all labels, and nothing by none", () => {
  const own = { site: "berlin", role: "edge" };
  expect(matches({ site: "berlin" }, own)).toBe(true);
  expect(matches({ site: "berlin", role: "core" }, own)).toBe(false);
  expect(matches({}, own)).toBe(false);
});
