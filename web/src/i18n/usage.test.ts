/** No page has a text of its own, and the catalogue has no text that no page shows. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import ts from "typescript";
import { expect, it } from "vitest";
import { en } from "./en";

const root = new URL("..", import.meta.url).pathname;
const files = readdirSync(root, { recursive: true, encoding: "utf8" })
  .filter((name) => /\.tsx?$/.test(name) && !name.includes(".test.") && !name.endsWith(".d.ts"))
  .map((name) => ({ name, text: readFileSync(join(root, name), "utf8") }));

/** Attributes that people read or hear. */
const spoken = new Set(["aria-label", "title", "placeholder", "alt", "label", "hint", "aria-description"]);
/** The same in every language: the name of the program, kinds of files, and commands. */
const allowed = [/^Netwatch$/, /^Authorization: Bearer …$/, /^(PNG|SVG)$/, /^netwatch( |$)/, /^\/start#…$/];

it.each(files.filter(({ name }) => name.endsWith(".tsx")))(
  "$name takes its texts from the catalogue",
  ({ name, text }) => {
    const source = ts.createSourceFile(name, text, ts.ScriptTarget.Latest, true, ts.ScriptKind.TSX);
    const found: string[] = [];
    const note = (words: string) => {
      const trimmed = words.trim();
      if (/\p{L}{2,}/u.test(trimmed) && !allowed.some((one) => one.test(trimmed))) found.push(trimmed);
    };
    const visit = (node: ts.Node): void => {
      if (ts.isJsxText(node)) note(node.text);
      if (ts.isJsxAttribute(node) && spoken.has(node.name.getText()) && node.initializer !== undefined) {
        if (ts.isStringLiteral(node.initializer)) note(node.initializer.text);
      }
      ts.forEachChild(node, visit);
    };
    visit(source);
    expect(found).toEqual([]);
  },
);

it("uses every text of the catalogue", () => {
  const all = files
    .filter(({ name }) => !/i18n.(en|de)(\.ts|.\w+\.ts)$/.test(name))
    .map(({ text }) => text)
    .join("\n");
  const patterns = [...all.matchAll(/`([a-z]+\.[^`]*\$\{[^`]*)`/gi)].map(
    ([, template = ""]) => new RegExp(`^${template.replace(/[.]/g, "\\.").replace(/\$\{[^}]*\}/g, "[\\w.-]+")}$`),
  );
  const unused = Object.keys(en).filter(
    (key) => !all.includes(`"${key}"`) && !patterns.some((pattern) => pattern.test(key)),
  );
  expect(unused).toEqual([]);
});
