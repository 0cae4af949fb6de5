import { expect, it } from "vitest";
import { completionsAt } from "./completion";

const fields = ["src", "sport", "port", "dport", "sni", "name"].map((name) => ({
  name,
  kind: "text",
  operators: [],
  description: "",
  example: "",
}));
const names = (text: string, cursor = text.length) =>
  completionsAt(text, cursor, fields).matches.map(({ name }) => name);

it("offers all fields at the beginning of a term", () => {
  expect(names("")).toHaveLength(6);
  expect(names("src 1.2.3.4 and ")).toHaveLength(6);
  expect(names("not (")).toHaveLength(6);
});
it("puts what begins with the word first", () => expect(names("port 1 or po")).toEqual(["port", "sport", "dport"]));
it("offers nothing where a value stands", () => {
  expect(names("port s")).toEqual([]);
  expect(names('name = "and s')).toEqual([]);
});
it("looks only at what is before the cursor", () => expect(names("sn and port 1", 2)).toEqual(["sni"]));
