/** Labels as people type them: `site=berlin`, one on each line or with commas between. Pure. */

export type Labels = Readonly<Record<string, string>>;

/** Most labels, and longest name or value in octets of UTF-8: the server refuses more. */
export const mostLabels = 16;
export const longestLabel = 128;

export function labelsText(labels: Labels): string {
  return Object.entries(labels)
    .sort(([a], [b]) => a.localeCompare(b))
    .map(([name, value]) => `${name}=${value}`)
    .join("\n");
}

export type ParsedLabels = {
  labels: Record<string, string>;
  /** Words that are no label, as they were typed. */
  refused: readonly string[];
};

/** A name stands before the first `=`; the last of equal names counts. */
export function parseLabels(text: string): ParsedLabels {
  const labels: Record<string, string> = {};
  const refused: string[] = [];
  for (const word of text.split(/[\n,]/).map((one) => one.trim())) {
    if (word === "") continue;
    const at = word.indexOf("=");
    const [name, value] = at < 0 ? ["", ""] : [word.slice(0, at).trim(), word.slice(at + 1).trim()];
    const fits = name !== "" && value !== "" && [name, value].every((part) => octets(part) <= longestLabel);
    if (fits && (name in labels || Object.keys(labels).length < mostLabels)) labels[name] = value;
    else refused.push(word);
  }
  return { labels, refused };
}

/** Whether an agent with `labels` has all of `wanted`; nothing wanted chooses nothing. */
export function matches(wanted: Labels, labels: Labels): boolean {
  const entries = Object.entries(wanted);
  return entries.length > 0 && entries.every(([name, value]) => labels[name] === value);
}

function octets(text: string): number {
  return new TextEncoder().encode(text).length;
}
