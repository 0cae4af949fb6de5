import { expect, it, vi } from "vitest";
import { otherPlace, placeOf, placesOf } from "./color";

it("gives the same thing the same place on every chart", () => {
  const first = placeOf("10.0.0.7");
  placesOf(["a", "b", "c"]);
  expect(placeOf("10.0.0.7")).toBe(first);
});

it("gives seven things that never met on one chart seven places", async () => {
  vi.resetModules();
  const fresh = await import("./color");
  const alone = Array.from({ length: 7 }, (_, i) => fresh.placeOf(`app-${i}`));
  expect(new Set(alone).size).toBe(7);
  const together = fresh.placesOf(Array.from({ length: 7 }, (_, i) => `app-${6 - i}`));
  expect(together).toEqual(alone.toReversed());
});

it("keeps other grey", () => expect(placesOf(["x", ""])[1]).toBe(otherPlace));

it("never shows two of at most seven things alike", () => {
  for (let round = 0; round < 50; round += 1) {
    const keys = Array.from({ length: 7 }, (_, i) => `host-${round}-${i}`);
    expect(new Set(placesOf(keys)).size).toBe(7);
  }
});

it("goes round when there are more things than places", () => {
  const found = placesOf(Array.from({ length: 12 }, (_, i) => `many-${i}`));
  expect(found.every((place) => place >= 1 && place <= 7)).toBe(true);
});
