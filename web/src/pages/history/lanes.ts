/** An answer of the explorer as the lanes of a chart: values per second, gaps and colours. Pure. */
import type { Exploration, HistoryGroup } from "~/api/schema";
import { viridis } from "~/charts/viridis";
import { cssVariable, placesOf } from "~/lib/color";

export type Lane = {
  /** Unique in the answer. */
  key: string;
  /** Values of all dimensions, in their order; empty for "other". */
  labels: readonly string[];
  other: boolean;
  colour: string;
  group: HistoryGroup;
  /** Per second, null where nothing was recorded. */
  values: readonly (number | null)[];
  received: readonly (number | null)[];
  sent: readonly (number | null)[];
};

export type Lanes = {
  /** Start of the first step and length of a step, in milliseconds. */
  from: number;
  step: number;
  count: number;
  lanes: readonly Lane[];
  /** Everything of the period before, per second, step by step. */
  previous: readonly number[];
  /** Stretches in which nothing was recorded, as half-open ranges of steps. */
  gaps: readonly (readonly [number, number])[];
};

/** Lanes with a colour of the palette; those after them have one of viridis. */
const palette = 7;

/** Rates are over the time of each step in which anything was observed; where nothing was, there is a gap. */
export function lanesOf(answer: Exploration): Lanes {
  const seconds = answer.step ?? 1;
  const from = Date.parse(answer.from);
  // Steps after the last minute that is over are neither rates nor gaps.
  const over = Math.ceil((Date.parse(answer.complete_until) - from) / 1000 / seconds);
  const count = Math.min(answer.total.points.length, Math.max(1, over));
  const known = (i: number) => (answer.observed[i] ?? 0) > 0;
  const perSecond = (points: readonly number[]) =>
    points.slice(0, count).map((value, i) => (known(i) ? value / (answer.observed[i] ?? seconds) : null));
  const shown = answer.other.total > 0 ? [...answer.groups, answer.other] : answer.groups;
  const colours = coloursOf(answer.groups.map(keyOf));
  const lanes = shown.map((group, i): Lane => {
    const other = group === answer.other;
    return {
      key: other ? "other" : keyOf(group),
      labels: group.key.map(({ label }) => label),
      other,
      colour: other ? cssVariable(0) : (colours[i] ?? cssVariable(0)),
      group,
      values: perSecond(group.points),
      received: perSecond(group.points_in),
      sent: perSecond(group.points_out),
    };
  });
  return {
    from,
    step: seconds * 1000,
    count,
    lanes,
    previous: answer.previous.map((value) => value / seconds),
    gaps: gapsOf(count, known),
  };
}

export function keyOf(group: HistoryGroup): string {
  return group.key.map(({ label }) => label).join(" · ");
}

/** Okabe–Ito for the largest, then viridis from dark to light. */
export function coloursOf(keys: readonly string[]): string[] {
  const rest = Math.max(1, keys.length - palette);
  return [
    ...placesOf(keys.slice(0, palette)).map(cssVariable),
    ...keys.slice(palette).map((_, i) => viridis(0.15 + (0.7 * i) / rest)),
  ];
}

function gapsOf(count: number, known: (index: number) => boolean): [number, number][] {
  const gaps: [number, number][] = [];
  for (let i = 0; i < count; i += 1) {
    const last = gaps.at(-1);
    if (known(i)) continue;
    if (last !== undefined && last[1] === i) last[1] = i + 1;
    else gaps.push([i, i + 1]);
  }
  return gaps;
}

/** The largest sum of all lanes in one step, of a direction. */
export function highest(lanes: readonly (readonly (number | null)[])[], together: boolean): number {
  const length = Math.max(0, ...lanes.map((lane) => lane.length));
  let most = 0;
  for (let i = 0; i < length; i += 1) {
    const values = lanes.map((lane) => lane[i] ?? 0);
    most = Math.max(most, together ? values.reduce((sum, value) => sum + value, 0) : Math.max(0, ...values));
  }
  return most;
}
