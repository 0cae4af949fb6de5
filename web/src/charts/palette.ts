/** The tokens of the theme as colours that a canvas understands, read anew when the theme changes. */
import { onPreferences } from "~/prefs/preferences";

export type Palette = {
  page: string;
  text: string;
  faint: string;
  grid: string;
  zero: string;
  warning: string;
  accent: string;
  /** Index 0 is "other". */
  edges: string[];
  fills: string[];
};

let cached: Palette | undefined;
const listeners = new Set<() => void>();

export function palette(): Palette {
  cached ??= read();
  return cached;
}

export function onPalette(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

function renew(): void {
  cached = undefined;
  for (const listener of listeners) listener();
}

onPreferences(renew);
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", renew);

function read(): Palette {
  const probe = document.createElement("span");
  document.body.append(probe);
  const colour = (value: string) => {
    probe.style.color = value;
    return getComputedStyle(probe).color;
  };
  const places = ["other", "1", "2", "3", "4", "5", "6", "7"];
  const result = {
    page: colour("var(--bg)"),
    text: colour("var(--text)"),
    faint: colour("var(--text-3)"),
    grid: colour("var(--line)"),
    zero: colour("var(--line-strong)"),
    warning: colour("var(--warning)"),
    accent: colour("var(--accent)"),
    edges: places.map((place) => colour(`var(--series-${place})`)),
    fills: places.map((place) => colour(`color-mix(in oklab, var(--series-${place}) 62%, var(--bg))`)),
  };
  probe.remove();
  return result;
}

/** Diagonal lines, six pixels apart, for "no data" and "lost data". */
export function hatch(context: CanvasRenderingContext2D, colour: string, scale: number): CanvasPattern | string {
  const size = Math.round(6 * scale);
  const tile = document.createElement("canvas");
  tile.width = size;
  tile.height = size;
  const pen = tile.getContext("2d");
  if (pen === null) return colour;
  pen.strokeStyle = colour;
  pen.lineWidth = scale;
  pen.beginPath();
  for (const shift of [-size, 0, size]) {
    pen.moveTo(shift, size);
    pen.lineTo(shift + size, 0);
  }
  pen.stroke();
  return context.createPattern(tile, "repeat") ?? colour;
}
