/**
 * A rates chart as a picture that stands alone: title, range, axes, series, gaps, losses and legend in one SVG.
 *
 * Pure: text in, text out. Names come from the network: every text is escaped, and characters that XML does not allow become U+FFFD.
 */
import type { Layout } from "~/lib/rates";
import type { Palette } from "./palette";
import { gapsOf, type Stacked } from "./stack";

/** The tokens that a picture is drawn with. */
export type Colours = Pick<Palette, "page" | "text" | "faint" | "grid" | "zero" | "warning" | "edges" | "fills">;

export type Picture = {
  title: string;
  /** The range in words, with the zone. */
  range: string;
  /** What was lost, in words; empty for nothing. */
  lost: string;
  above: string;
  below: string;
  layout: Layout;
  stacked: Stacked;
  /** Seconds. */
  from: number;
  to: number;
  extent: [number, number];
  /** Places of the series in the palette. */
  places: readonly number[];
  /** Names of the series, in the order of the layout. */
  names: readonly string[];
  gaps: boolean;
  colours: Colours;
  yLabel: (value: number) => string;
  xLabel: (seconds: number) => string;
};

export const pictureWidth = 960;
const plot = { left: 72, right: pictureWidth - 16, top: 64, height: 300 };
const legendRow = 20;
const legendColumns = 3;

export function pictureHeight({ names }: Pick<Picture, "names">): number {
  return plot.top + plot.height + 44 + Math.ceil(names.length / legendColumns) * legendRow + 12;
}

export function svgOf(picture: Picture): string {
  const height = pictureHeight(picture);
  const { colours } = picture;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${pictureWidth}" height="${height}" viewBox="0 0 ${pictureWidth} ${height}"`,
    ` font-family="Inter, system-ui, sans-serif" font-size="12">`,
    hatches(colours),
    `<rect width="100%" height="100%" fill="${colours.page}"/>`,
    text(16, 26, picture.title, { fill: colours.text, size: 16, weight: 600 }),
    text(16, 46, picture.range, { fill: colours.faint }),
    text(plot.right, 46, picture.lost === "" ? "" : `▲ ${picture.lost}`, { fill: colours.warning, anchor: "end" }),
    grid(picture),
    gaps(picture),
    areas(picture),
    losses(picture),
    line(plot.left, y(picture, 0), plot.right, y(picture, 0), colours.zero),
    text(plot.left + 6, plot.top + 14, `↑ ${picture.above}`, { fill: colours.faint }),
    text(plot.left + 6, plot.top + plot.height - 6, `↓ ${picture.below}`, { fill: colours.faint }),
    legend(picture),
    "</svg>",
  ].join("");
}

function x({ from, to }: Picture, seconds: number): number {
  const share = (seconds - from) / Math.max(to - from, 1e-9);
  return round(plot.left + Math.min(1, Math.max(0, share)) * (plot.right - plot.left));
}

function y({ extent: [low, high] }: Picture, value: number): number {
  return round(plot.top + ((high - value) / Math.max(high - low, 1e-9)) * plot.height);
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}

function grid(picture: Picture): string {
  const { colours, extent, from, to } = picture;
  const [low, high] = extent;
  const rows = [high, high / 2, 0, low / 2, low].map(
    (value) =>
      line(plot.left, y(picture, value), plot.right, y(picture, value), colours.grid) +
      text(plot.left - 8, y(picture, value) + 4, picture.yLabel(Math.abs(value)), {
        fill: colours.faint,
        anchor: "end",
      }),
  );
  const columns = Array.from({ length: 7 }, (_, i) => from + ((to - from) * i) / 6).map((at, i) =>
    text(x(picture, at), plot.top + plot.height + 18, picture.xLabel(at), {
      fill: colours.faint,
      anchor: i === 0 ? "start" : i === 6 ? "end" : "middle",
    }),
  );
  return [...rows, ...columns].join("");
}

/** The outermost slot first, the inner ones over it. */
function areas(picture: Picture): string {
  const { layout, stacked, places, colours } = picture;
  return layout.series
    .map((_, slot) => {
      const place = places[slot] ?? 0;
      const path = [stacked.above[slot], stacked.below[slot]].map((lane) => steps(picture, lane ?? [])).join("");
      const [fill, stroke] = [colours.fills[place] ?? colours.faint, colours.edges[place] ?? colours.faint];
      return path === "" ? "" : `<path d="${path}" fill="${fill}" stroke="${stroke}"/>`;
    })
    .reverse()
    .join("");
}

/** Steps from the zero line and back to it, one shape for each stretch that has data. */
function steps(picture: Picture, lane: readonly (number | null)[]): string {
  const { times } = picture.stacked;
  const zero = y(picture, 0);
  let path = "";
  let open = false;
  for (let i = 0; i < times.length - 1; i += 1) {
    const [value, begin, end] = [lane[i], x(picture, times[i] ?? 0), x(picture, times[i + 1] ?? 0)];
    if (value == null || begin === end) {
      if (open) path += `V${zero}Z`;
      open = false;
      continue;
    }
    path += `${open ? "" : `M${begin} ${zero}`}V${y(picture, value)}H${end}`;
    open = true;
  }
  return open ? `${path}V${zero}Z` : path;
}

function gaps(picture: Picture): string {
  if (!picture.gaps) return "";
  return gapsOf(picture.layout, picture.from, picture.to)
    .map(([begin, end]) => band(picture, begin, end, "no-data"))
    .join("");
}

function losses(picture: Picture): string {
  const { times, losses: lost, bucket } = picture.layout;
  return times
    .filter((_, i) => {
      const one = lost[i];
      return one !== undefined && one.kernelDrops + one.recordsDropped + one.flowsOther > 0;
    })
    .map((time) => band(picture, time, time + bucket, "lost"))
    .join("");
}

function band(picture: Picture, begin: number, end: number, pattern: string): string {
  const [left, right] = [x(picture, begin), x(picture, end)];
  const width = round(Math.max(right - left, 1));
  return `<rect x="${left}" y="${plot.top}" width="${width}" height="${plot.height}" fill="url(#${pattern})"/>`;
}

function hatches({ grid: faint, warning }: Colours): string {
  const pattern = (id: string, colour: string) =>
    `<pattern id="${id}" width="6" height="6" patternUnits="userSpaceOnUse"><path d="M0 6L6 0" stroke="${colour}"/></pattern>`;
  return `<defs>${pattern("no-data", faint)}${pattern("lost", warning)}</defs>`;
}

function legend({ names, places, colours }: Picture): string {
  const column = (plot.right - plot.left) / legendColumns;
  return names
    .map((name, i) => {
      const left = round(plot.left + (i % legendColumns) * column);
      const top = plot.top + plot.height + 40 + Math.floor(i / legendColumns) * legendRow;
      const fill = colours.edges[places[i] ?? 0] ?? colours.faint;
      const short = name.length > 40 ? `${name.slice(0, 39)}…` : name;
      return `<rect x="${left}" y="${top - 9}" width="10" height="10" rx="2" fill="${fill}"/>${text(left + 16, top, short, { fill: colours.text })}`;
    })
    .join("");
}

function line(x1: number, y1: number, x2: number, y2: number, colour: string): string {
  return `<path d="M${x1} ${y1}L${x2} ${y2}" stroke="${colour}"/>`;
}

type TextStyle = { fill: string; size?: number; weight?: number; anchor?: "start" | "middle" | "end" };

function text(left: number, top: number, words: string, { fill, size, weight, anchor }: TextStyle): string {
  if (words === "") return "";
  const more =
    (size === undefined ? "" : ` font-size="${size}"`) +
    (weight === undefined ? "" : ` font-weight="${weight}"`) +
    (anchor === undefined ? "" : ` text-anchor="${anchor}"`);
  return `<text x="${left}" y="${top}" fill="${fill}"${more}>${escapeMarkup(words)}</text>`;
}

const entities: Record<string, string> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;" };

/** A text as XML holds it. */
export function escapeMarkup(words: string): string {
  return [...words].map((c) => (isAllowed(c.codePointAt(0) ?? 0) ? (entities[c] ?? c) : "\ufffd")).join("");
}

/** Characters of XML 1.0 (section 2.2) but control characters. */
function isAllowed(code: number): boolean {
  return (
    code >= 0x20 && !(code >= 0x7f && code <= 0x9f) && !(code >= 0xd800 && code <= 0xdfff) && (code & 0xfffe) !== 0xfffe
  );
}
