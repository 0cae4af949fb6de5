/** The lines of a chart as rows of a table. Steps without data are left out. Pure. */
import type { SeriesChart, SeriesName } from "~/api/schema";

export type SeriesRow = {
  id: number;
  /** Place in the chart. */
  place: number;
  name: string;
  points: readonly (number | null)[];
  min: number | undefined;
  mean: number | undefined;
  p95: number | undefined;
  max: number | undefined;
  last: number | undefined;
};

export function seriesRows(chart: SeriesChart): SeriesRow[] {
  return chart.lines.map(({ series, points }, place) => {
    const known = points.filter((value) => value !== null);
    const sorted = known.toSorted((a, b) => a - b);
    return {
      id: series.id,
      place,
      name: nameOf(series),
      points,
      min: sorted[0],
      mean: known.length === 0 ? undefined : known.reduce((sum, value) => sum + value, 0) / known.length,
      // Nearest rank: the smallest value that at least 95 % of the steps do not exceed.
      p95: sorted[Math.ceil(sorted.length * 0.95) - 1],
      max: sorted.at(-1),
      last: known.at(-1),
    };
  });
}

/** The labels as they are searched for; the agent when there are none. */
export function nameOf({ labels, agent }: SeriesName): string {
  return labels.length === 0 ? agent : labels.map(({ name, value }) => `${name}=${value}`).join(", ");
}

/**
 * What is being completed at the end of a list of labels such as `interface=eth0,dir`: a name, or a value of a name.
 * `lead` is what stays in front of the completed text.
 */
export function labelAt(text: string): { lead: string; name: string | undefined; prefix: string } {
  const comma = text.lastIndexOf(",");
  const [lead, part] = [text.slice(0, comma + 1), text.slice(comma + 1)];
  const match = /^(\s*)([^=!]*)(!?=)(.*)$/.exec(part);
  if (match === null) {
    const blank = /^\s*/.exec(part)?.[0] ?? "";
    return { lead: lead + blank, name: undefined, prefix: part.trim() };
  }
  const [, blank = "", name = "", sign = "=", value = ""] = match;
  return { lead: `${lead}${blank}${name}${sign}`, name: name.trim(), prefix: value };
}
