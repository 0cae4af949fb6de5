/** Series laid one on another: in above zero, out below. Pure, so that it can be tested without a canvas. */
import type { Layout } from "~/lib/rates";

export type Stacked = {
  /** Seconds. One more than there are buckets, so that the last bucket has a width. */
  times: number[];
  /** For each slot: the upper edge of its series in above zero; the last slot is the outermost. */
  above: (number | null)[][];
  below: (number | null)[][];
  /** Largest sums. */
  highest: number;
  lowest: number;
};

/** `slots` series at most; slots that no series uses are empty. `scale` turns octets a second into what the axis shows. */
export function stack(layout: Layout, slots: number, scale: number): Stacked {
  const length = layout.times.length;
  const above = emptyLanes(slots, length);
  const below = emptyLanes(slots, length);
  let [highest, lowest] = [0, 0];
  for (let i = 0; i < length; i += 1) {
    let [up, down] = [0, 0];
    for (let slot = 0; slot < Math.min(slots, layout.series.length); slot += 1) {
      const series = layout.series[slot];
      const [carriedIn, carriedOut] = [series?.in[i], series?.out[i]];
      if (carriedIn == null && carriedOut == null) continue;
      up += (carriedIn ?? 0) * scale;
      down += (carriedOut ?? 0) * scale;
      write(above[slot], i, up);
      write(below[slot], i, -down);
    }
    highest = Math.max(highest, up);
    lowest = Math.max(lowest, down);
  }
  for (const lane of [...above, ...below]) lane.push(lane.at(-1) ?? null);
  const end = (layout.times.at(-1) ?? 0) + layout.bucket;
  return { times: length === 0 ? [] : [...layout.times, end], above, below, highest, lowest };
}

/** Stretches of the chart for which there is no data, in seconds. */
export function gapsOf(layout: Layout, from: number, to: number): [number, number][] {
  const known = layout.times.map((_, i) => layout.series.some((one) => one.in[i] != null || one.out[i] != null));
  const gaps: [number, number][] = [];
  const add = (start: number, end: number) => {
    const last = gaps.at(-1);
    if (last !== undefined && last[1] >= start - 1e-6) last[1] = end;
    else if (end > start) gaps.push([start, end]);
  };
  const first = layout.times[0];
  if (first === undefined) return [[from, to]];
  if (layout.series.length === 0) return [];
  add(from, Math.min(to, first));
  layout.times.forEach((time, i) => {
    if (!known[i]) add(Math.max(from, time), Math.min(to, time + layout.bucket));
  });
  add((layout.times.at(-1) ?? from) + layout.bucket, to);
  // The edge of a live chart is never exact to the step; less than two steps of nothing is no gap.
  return gaps.filter(
    ([start, end]) => end - start > 2 * layout.bucket || (start > first && end < (layout.times.at(-1) ?? 0)),
  );
}

/** The next of a dozen round numbers times a power of ten: a scale that rarely moves. */
export function niceCeiling(value: number): number {
  if (value <= 0) return 0;
  const power = 10 ** Math.floor(Math.log10(value));
  const step = [1, 1.2, 1.5, 2, 2.5, 3, 4, 5, 6, 8, 10].find((one) => value <= one * power * (1 + 1e-9)) ?? 10;
  return step * power;
}

/** The axis never shows less than this many units a second. */
const least = 100;

/** Both ends of the axis. The smaller half keeps at least a fifth of the larger, so that "nothing" can be seen. */
export function extent(highest: number, lowest: number): [number, number] {
  const top = niceCeiling(highest * 1.06);
  const bottom = niceCeiling(lowest * 1.06);
  const largest = Math.max(top, bottom, least);
  return [-Math.max(bottom, largest / 5), top > 0 || bottom > 0 ? Math.max(top, largest / 5) : largest];
}

function emptyLanes(slots: number, length: number): (number | null)[][] {
  return Array.from({ length: slots }, () => Array.from<number | null>({ length }).fill(null));
}

function write(lane: (number | null)[] | undefined, index: number, value: number): void {
  if (lane !== undefined) lane[index] = value;
}
