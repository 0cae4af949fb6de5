/** The geometry of charts over time: shapes of steps, marks of the axes, stretches without data. Pure: no canvas, no React. */
import { shifted } from "~/time/grammar";
import { momentOf, wallOf, type Zone } from "~/time/zone";

export type Scale = (value: number) => number;

/** A linear scale, rounded to a tenth of a pixel so that paths stay short. */
export function scale([low, high]: readonly [number, number], [from, to]: readonly [number, number]): Scale {
  const factor = (to - from) / Math.max(high - low, 1e-12);
  return (value) => Math.round((from + (value - low) * factor) * 10) / 10;
}

/** The area between two edges, step by step; where the upper edge is null there is nothing. */
export function stepArea(
  upper: readonly (number | null)[],
  lower: readonly number[],
  x: (index: number) => number,
  y: Scale,
): string {
  return runsOf(upper)
    .map(([start, end]) => {
      let path = "";
      for (let i = start; i < end; i += 1) path += `${i === start ? "M" : "L"}${x(i)} ${y(upper[i] ?? 0)}H${x(i + 1)}`;
      for (let i = end - 1; i >= start; i -= 1) path += `V${y(lower[i] ?? 0)}H${x(i)}`;
      return `${path}Z`;
    })
    .join("");
}

/** A line of steps that is broken where there is no data. */
export function stepLine(values: readonly (number | null)[], x: (index: number) => number, y: Scale): string {
  return runsOf(values)
    .map(([start, end]) => {
      let path = "";
      for (let i = start; i < end; i += 1) path += `${i === start ? "M" : "L"}${x(i)} ${y(values[i] ?? 0)}H${x(i + 1)}`;
      return path;
    })
    .join("");
}

/** Stretches of values, as half-open ranges of indices. */
export function runsOf(values: readonly (number | null)[]): [number, number][] {
  const runs: [number, number][] = [];
  values.forEach((value, i) => {
    const last = runs.at(-1);
    if (value === null) return;
    if (last !== undefined && last[1] === i) last[1] = i + 1;
    else runs.push([i, i + 1]);
  });
  return runs;
}

/** Stretches without values. */
export function gapsOf(values: readonly (number | null)[]): [number, number][] {
  return runsOf(values.map((value) => (value === null ? 0 : null)));
}

/** The sums of lanes one on another: for each lane its lower and upper edge. */
export function stacked(lanes: readonly (readonly (number | null)[])[]): {
  lower: number[];
  upper: (number | null)[];
}[] {
  const base: number[] = [];
  return lanes.map((lane) => {
    const lower = lane.map((_, i) => base[i] ?? 0);
    const upper = lane.map((value, i) => (value === null ? null : (lower[i] ?? 0) + value));
    upper.forEach((value, i) => {
      base[i] = value ?? base[i] ?? 0;
    });
    return { lower, upper };
  });
}

/** About `wanted` round values from zero to `most`. */
export function valueTicks(least: number, most: number, wanted: number): number[] {
  const rough = (most - least) / Math.max(1, wanted);
  if (!(rough > 0)) return [0];
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = ([1, 2, 2.5, 5, 10].find((one) => one * power >= rough) ?? 10) * power;
  const first = Math.ceil(least / step - 1e-9);
  const last = Math.floor(most / step + 1e-9);
  return Array.from({ length: last - first + 1 }, (_, i) => (first + i) * step);
}

const minute = 60_000;
const distances = [1, 2, 5, 10, 15, 30, 60, 120, 180, 360, 720].map((one) => one * minute);

/** Moments on the clock of the zone at which the time axis is marked: at most `most`, at equal distances. */
export function timeTicks(from: number, to: number, most: number, zone: Zone): { at: number; day: boolean }[] {
  const wanted = (to - from) / Math.max(1, most);
  const distance = distances.find((one) => one >= wanted);
  const { year, month, day } = wallOf(from, zone);
  const midnight = momentOf({ year, month, day, hour: 0, minute: 0, second: 0 }, zone);
  const ticks: { at: number; day: boolean }[] = [];
  if (distance === undefined) {
    const days = Math.ceil(wanted / (1440 * minute));
    for (let at = midnight; at <= to; at = shifted(at, days, "d", zone)) if (at >= from) ticks.push({ at, day: true });
    return ticks;
  }
  for (let start = midnight; start <= to; start = shifted(start, 1, "d", zone)) {
    const next = shifted(start, 1, "d", zone);
    for (let at = start; at < Math.min(next, to + 1); at += distance)
      if (at >= from) ticks.push({ at, day: at === start && to - from > 720 * minute });
  }
  return ticks;
}
