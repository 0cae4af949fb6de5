/** Which fields could be meant at the cursor of a filter text. Values are not completed: the server alone knows them. */
import type { FilterField } from "~/api/schema";

export type Completions = { start: number; matches: readonly FilterField[] };

export function completionsAt(text: string, cursor: number, fields: readonly FilterField[]): Completions {
  const before = text.slice(0, cursor);
  const word = /[a-z_.]*$/i.exec(before)?.[0] ?? "";
  const start = cursor - word.length;
  const lead = before.slice(0, start);
  if (!startsTerm(lead)) return { start, matches: [] };
  const wanted = word.toLowerCase();
  const beginning = fields.filter(({ name }) => name.startsWith(wanted) && name !== wanted);
  const within = wanted === "" ? [] : fields.filter(({ name }) => !name.startsWith(wanted) && name.includes(wanted));
  return { start, matches: [...beginning, ...within] };
}

/** Whether a field name can stand after this text: at the beginning, and after `and`, `or`, `not` and `(`. */
function startsTerm(lead: string): boolean {
  if ((lead.replace(/\\./g, "").match(/"/g)?.length ?? 0) % 2 === 1) return false;
  return /^\s*$|(?:\b(?:and|or|not)\s+|\(\s*|&&\s*|\|\|\s*|!\s*)$/i.test(lead);
}
