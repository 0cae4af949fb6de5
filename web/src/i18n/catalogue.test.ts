import { describe, expect, it } from "vitest";
import { fill, type Message } from "./catalogue";
import { de } from "./de";
import { en, type Key } from "./en";

const forms = (message: Message) => (typeof message === "string" ? [message] : [message.one, message.other]);
const placeholders = (text: string) => [...text.matchAll(/\{(\w+)\}/g)].map(([, name]) => name).sort();

describe("the catalogues", () => {
  it("have the same keys", () => expect(Object.keys(de).sort()).toEqual(Object.keys(en).sort()));

  it.each(Object.keys(en) as Key[])("agree about what is filled into %s", (key) => {
    const wanted = placeholders(forms(en[key]).at(-1) ?? "");
    for (const text of forms(de[key])) {
      expect(text).not.toBe("");
      expect(wanted).toEqual(expect.arrayContaining(placeholders(text)));
    }
    expect(placeholders(forms(de[key]).at(-1) ?? "")).toEqual(wanted);
  });
});

describe("filling in", () => {
  it("chooses the plural form of the language", () => {
    const flows = en["overview.activeFlows"];
    expect(fill(flows, { n: 1 }, "en")).toBe("1 active flow");
    expect(fill(flows, { n: 0 }, "en")).toBe("0 active flows");
    expect(fill(de["overview.activeFlows"], { n: 1 }, "de")).toBe("1 aktiver Flow");
  });
  it("writes numbers as the language does, and texts as they are", () => {
    expect(fill("{n} of {name}", { n: 12_345, name: "{n}" }, "en")).toBe("12,345 of {n}");
    expect(fill("{n}", { n: 12_345 }, "de")).toBe("12.345");
  });
  it("leaves a placeholder that nobody fills, so that it is seen", () => expect(fill("{x}", {}, "en")).toBe("{x}"));
});
