import { describe, expect, it } from "vitest";
import { validateSearch } from "~/app/search";
import { explorerOf, questionOf, searchOf, stepFor } from "./question";

const day = 86_400;

describe("what is chosen", () => {
  it("is the default where the URL says nothing", () =>
    expect(explorerOf({})).toEqual({
      dimensions: ["application"],
      chart: "stacked",
      measure: "octets",
      top: 7,
      mirrored: false,
      previous: false,
    }));

  it("keeps five known dimensions at most, each once, in their order", () =>
    expect(explorerOf({ dims: "port,source,bogus,source,name,vlan,user,host" }).dimensions).toEqual([
      "port",
      "source",
      "name",
      "vlan",
      "user",
    ]));

  it("is read back from the words of the URL", () => {
    const chosen = {
      dimensions: ["source", "application", "destination"],
      chart: "lines",
      measure: "octets",
      top: 20,
      mirrored: true,
      previous: true,
    } as const;
    expect(explorerOf(validateSearch(searchOf(chosen)))).toEqual(chosen);
  });

  it("needs no words for the default", () =>
    expect(Object.values(searchOf(explorerOf({}))).every((word) => word === undefined)).toBe(true));

  it("mirrors octets in pictures that have directions, and nothing else", () => {
    expect(explorerOf({ mirror: "yes" }).mirrored).toBe(true);
    expect(explorerOf({ mirror: "yes", unit: "packets" }).mirrored).toBe(false);
    expect(explorerOf({ mirror: "yes", chart: "sankey" }).mirrored).toBe(false);
  });
});

it.each([
  [60, 60],
  [3600, 60],
  [day, 300],
  [7 * day, 3600],
  [30 * day, 10_800],
  [365 * day, 172_800],
  [3650 * day, 13 * day],
])("%i seconds have steps of %i", (seconds, step) => expect(stepFor(seconds)).toBe(step));

it("asks for what the controls, the range and the filter say", () => {
  const question = questionOf(explorerOf({ compare: "previous" }), { from: "-24h" }, day, "port = 443");
  expect(question).toEqual({
    from: "-24h",
    step: 300,
    by: "application",
    measure: "octets",
    limit: 7,
    previous: true,
    filter: "port = 443",
  });
});
