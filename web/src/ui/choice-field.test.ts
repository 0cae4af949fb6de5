import { describe, expect, it } from "vitest";
import { choicesFor } from "./choice-field";

describe("a choice of many", () => {
  const choices = [
    { label: "berlin-1", words: "edge site=berlin 192.0.2.1" },
    { label: "berlin-2", words: "core" },
    { label: "Wien", words: "edge" },
  ];
  const labels = (text: string) => choicesFor(choices, text).map(({ label }) => label);
  it("is found by every word, in any order and case", () => {
    expect(labels("")).toEqual(["berlin-1", "berlin-2", "Wien"]);
    expect(labels("EDGE ber")).toEqual(["berlin-1"]);
    expect(labels("wien")).toEqual(["Wien"]);
    expect(labels("192.0.2.1")).toEqual(["berlin-1"]);
    expect(labels("berlin-3")).toEqual([]);
  });
});
