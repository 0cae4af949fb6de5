/**
 * Building filters out of clicks. The server alone parses: here a filter is a list of terms, the operands of its outermost `and`,
 * each in the canonical spelling that `/api/v1/filter/check` gives.
 *
 * Across fields terms are joined by `and`; values of one field gather in one `in (…)`. `host` does not gather: two hosts mean the
 * conversations between them.
 */
const gathering = new Set([
  "src",
  "dst",
  "port",
  "sport",
  "dport",
  "protocol",
  "vlan",
  "tunnel",
  "application",
  "name",
  "sni",
]);
for (const field of ["dns", "http_host", "process", "pid", "user", "container", "interface", "state", "end_reason"]) {
  gathering.add(field);
}

type Simple = { field: string; values: string[]; negated: boolean };

/** A term that selects one value of a field. Words and numbers stand bare where `bare` says that the field takes them so. */
export function term(field: string, value: string | number, bare = false): string {
  return `${field} = ${bare || typeof value === "number" ? value : quote(value)}`;
}

/** A text as the filter language quotes it. `\u{…}`, which the server writes for hidden characters, is an escape there too. */
export function quote(text: string): string {
  const escaped = text.replace(/\\(?!u\{[0-9a-f]{1,6}\})|"/g, (c) => `\\${c}`);
  return `"${escaped}"`;
}

/** The terms with one more that must hold. */
export function include(terms: readonly string[], added: string): string[] {
  if (terms.includes(added)) return [...terms];
  const rest = terms.filter((one) => one !== negation(added));
  const wanted = parse(added);
  if (wanted !== undefined && !wanted.negated && gathering.has(wanted.field)) {
    const index = rest.findIndex((one) => isSame(parse(one), wanted));
    const found = parse(rest[index] ?? "");
    if (found !== undefined) {
      const values = [...found.values, ...wanted.values.filter((value) => !found.values.includes(value))];
      return rest.toSpliced(index, 1, written({ ...wanted, values }));
    }
  }
  return [...rest, added];
}

/** The terms with one that must not hold; a value that was included is no longer. */
export function exclude(terms: readonly string[], removed: string): string[] {
  const wanted = parse(removed);
  const rest = terms.flatMap((one) => {
    if (one === removed) return [];
    const found = parse(one);
    if (wanted === undefined || found === undefined || !isSame(found, wanted)) return [one];
    const values = found.values.filter((value) => !wanted.values.includes(value));
    return values.length === 0 ? [] : [written({ ...found, values })];
  });
  // Taking a value out of `in (…)` has said it already.
  const narrowed =
    wanted !== undefined &&
    terms.some((one) => isSame(parse(one), wanted)) &&
    rest.some((one) => isSame(parse(one), wanted));
  const opposite = negation(removed);
  return narrowed || rest.includes(opposite) ? rest : [...rest, opposite];
}

/** What holds exactly when the term does not. */
export function negation(one: string): string {
  const simple = parse(one);
  if (simple !== undefined) return written({ ...simple, negated: !simple.negated });
  return one.startsWith("not ") ? unwrapped(one.slice(4)) : `not ${wrapped(one)}`;
}

/** The terms as one filter text; `undefined` when there is none. */
export function joined(terms: readonly string[]): string | undefined {
  if (terms.length === 0) return undefined;
  if (terms.length === 1) return terms[0];
  return terms.map((one) => (hasOuter(one, "or") ? wrapped(one) : one)).join(" and ");
}

/** Index into the text of a byte offset into its UTF-8, as the server counts. */
export function indexOfByte(text: string, offset: number): number {
  let [bytes, index] = [0, 0];
  for (const character of text) {
    if (bytes >= offset) break;
    const point = character.codePointAt(0) ?? 0;
    bytes += point < 0x80 ? 1 : point < 0x800 ? 2 : point < 0x10000 ? 3 : 4;
    index += character.length;
  }
  return index;
}

function parse(text: string): Simple | undefined {
  const one = /^([a-z][a-z_.]*) (!?=) ("(?:[^"\\]|\\.)*"|[^\s"()]+)$/.exec(text);
  if (one !== null) return { field: one[1] ?? "", values: [one[3] ?? ""], negated: one[2] === "!=" };
  const many = /^([a-z][a-z_.]*) (not )?in \((.*)\)$/.exec(text);
  if (many === null || hasParenthesis(many[3] ?? "")) return undefined;
  const values = (many[3] ?? "").match(/"(?:[^"\\]|\\.)*"|[^,\s]+/g) ?? [];
  return { field: many[1] ?? "", values: [...values], negated: many[2] !== undefined };
}

function written({ field, values, negated }: Simple): string {
  if (values.length === 1) return `${field} ${negated ? "!=" : "="} ${values[0]}`;
  return `${field} ${negated ? "not in" : "in"} (${values.join(", ")})`;
}

function isSame(a: Simple | undefined, b: Simple): boolean {
  return a !== undefined && a.field === b.field && a.negated === b.negated;
}

function wrapped(one: string): string {
  return isWrapped(one) ? one : `(${one})`;
}

function unwrapped(one: string): string {
  return isWrapped(one) ? one.slice(1, -1) : one;
}

/** Whether the first parenthesis closes at the very end. */
function isWrapped(one: string): boolean {
  return one.startsWith("(") && one.endsWith(")") && !outerText(one.slice(1, -1)).includes(")");
}

function hasOuter(one: string, word: "or"): boolean {
  return new RegExp(`\\b${word}\\b|\\|\\|`, "i").test(outerText(one));
}

function hasParenthesis(text: string): boolean {
  return /[()]/.test(text.replace(/"(?:[^"\\]|\\.)*"/g, ""));
}

/** The text outside quotes and parentheses; a parenthesis that closes more than was opened stays. */
function outerText(text: string): string {
  let result = text.replace(/"(?:[^"\\]|\\.)*"/g, " ");
  for (;;) {
    const next = result.replace(/\([^()]*\)/g, " ");
    if (next === result) return result;
    result = next;
  }
}
