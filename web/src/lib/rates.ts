/**
 * The rates of a window of time, put together from answers and stream frames, and laid out for a chart.
 *
 * Times are milliseconds, values octets (or packets) of each step; `null` is "no data", which is never drawn as zero and never
 * bridged. Steps between two frames that nobody told about are `null` too. A later frame replaces what it overlaps.
 *
 * Limits: one window holds at most `maxSteps` steps; older ones fall out.
 */
import type { Layer, Points, Rates } from "~/api/schema";

export const maxSteps = 7200;

export type WindowSeries = {
  key: string;
  label: string;
  other: boolean;
  in: (number | null)[];
  out: (number | null)[];
  packetsIn: (number | null)[];
  packetsOut: (number | null)[];
};

export type LossPoint = { kernelDrops: number; ringFill: number; recordsDropped: number; flowsOther: number };

const noLoss: LossPoint = { kernelDrops: 0, ringFill: 0, recordsDropped: 0, flowsOther: 0 };
const lanes = ["in", "out", "packetsIn", "packetsOut"] as const;

export class RatesWindow {
  /** Milliseconds of a step. */
  step = 1000;
  /** Start of the first step. */
  from = 0;
  length = 0;
  layer: Layer = "l2";
  oldest: number | undefined;
  series = new Map<string, WindowSeries>();
  losses: LossPoint[] = [];

  get to(): number {
    return this.from + this.length * this.step;
  }

  /** Takes in an answer or a frame. The result tells whether it brought a series that the window did not have. */
  apply(rates: Rates): boolean {
    const step = rates.step * 1000;
    const from = Date.parse(rates.from);
    const count = Math.round((Date.parse(rates.to) - from) / step);
    if (count <= 0 || !(step > 0)) return false;
    if (this.length === 0 || step !== this.step || from < this.from || from - this.to > maxSteps * step) {
      this.#clear(from, step);
    }
    this.layer = rates.layer;
    this.oldest = rates.oldest == null ? undefined : Date.parse(rates.oldest);
    const start = Math.round((from - this.from) / step);
    const known = this.series.size;
    this.#extend(start, count);
    for (let i = 0; i < count; i += 1) this.losses[start + i] = lossAt(rates, i);
    for (const one of rates.series) {
      const series = this.#seriesOf(one.key, one.label, one.other);
      place(series.in, start, one.in.octets);
      place(series.out, start, one.out.octets);
      place(series.packetsIn, start, one.in.packets);
      place(series.packetsOut, start, one.out.packets);
    }
    this.#fillAbsent(rates, start, count);
    if (this.length > maxSteps) this.trim(this.to - maxSteps * step);
    return known > 0 && this.series.size > known;
  }

  /** Whether any step tells of anything: zero is something, nothing is not. */
  get hasData(): boolean {
    return [...this.series.values()].some((series) => series.in.some(isKnown) || series.out.some(isKnown));
  }

  /** Forgets the steps that end at or before `from`, and series that have carried nothing since. */
  trim(from: number): void {
    const gone = Math.min(this.length, Math.max(0, Math.floor((from - this.from) / this.step)));
    if (gone === 0) return;
    this.from += gone * this.step;
    this.length -= gone;
    this.losses.splice(0, gone);
    for (const series of this.series.values()) {
      for (const lane of lanes) series[lane].splice(0, gone);
      if (!series.in.some(Boolean) && !series.out.some(Boolean) && this.series.size > 1) this.series.delete(series.key);
    }
  }

  /** Largest first, "other" last. At most `limit` of their own; the rest is added to "other". */
  ranked(limit: number): WindowSeries[] {
    const own = [...this.series.values()].filter((series) => !series.other);
    const size = new Map(own.map((series) => [series.key, total(series.in) + total(series.out)]));
    own.sort((a, b) => (size.get(b.key) ?? 0) - (size.get(a.key) ?? 0) || (a.key < b.key ? -1 : 1));
    const rest = [...own.slice(limit), ...[...this.series.values()].filter((series) => series.other)];
    const shown = own.slice(0, limit);
    const first = rest.at(-1);
    if (first === undefined) return shown;
    if (rest.length === 1 && first.other) return [...shown, first];
    return [...shown, rest.reduce(sumOf, { ...this.#empty("", "other", true) })];
  }

  #clear(from: number, step: number): void {
    this.from = from;
    this.step = step;
    this.length = 0;
    this.series.clear();
    this.losses = [];
  }

  #extend(start: number, count: number): void {
    while (this.losses.length < start) this.losses.push(noLoss);
    this.length = Math.max(this.length, start + count);
    for (const series of this.series.values()) {
      for (const lane of lanes) pad(series[lane], this.length, null);
    }
  }

  #seriesOf(key: string, label: string, other: boolean): WindowSeries {
    const id = other ? "" : key;
    let series = this.series.get(id);
    if (series === undefined) {
      series = this.#empty(key, label, other);
      this.series.set(id, series);
    }
    series.label = label;
    return series;
  }

  #empty(key: string, label: string, other: boolean): WindowSeries {
    const lane = () => Array.from<number | null>({ length: this.length }).fill(null);
    return { key, label, other, in: lane(), out: lane(), packetsIn: lane(), packetsOut: lane() };
  }

  /** A series that a frame does not name carried nothing in its steps, wherever the frame has data at all. */
  #fillAbsent(rates: Rates, start: number, count: number): void {
    const named = new Set(rates.series.map((one) => (one.other ? "" : one.key)));
    for (const [id, series] of this.series) {
      if (named.has(id)) continue;
      for (let i = 0; i < count; i += 1) {
        const value = hasData(rates, i) ? 0 : null;
        for (const lane of lanes) series[lane][start + i] = value;
      }
    }
    // A series that is new has nothing to say about the steps before it; where others had data, it carried nothing of its own.
    const reference = [...this.series.values()][0];
    if (reference === undefined) return;
    for (const series of this.series.values()) {
      if (!named.has(series.other ? "" : series.key)) continue;
      for (let i = 0; i < start; i += 1) {
        if (series.in[i] == null && reference.in[i] != null) for (const lane of lanes) series[lane][i] = 0;
      }
    }
  }
}

/** Rates in steps no narrower than half a pixel; buckets lie on absolute time, so that a moving chart does not shimmer. */
export type Layout = {
  /** Seconds, start of each bucket. */
  times: number[];
  series: { key: string; label: string; other: boolean; in: (number | null)[]; out: (number | null)[] }[];
  /** What was lost in each bucket. */
  losses: LossPoint[];
  /** Seconds of a bucket. */
  bucket: number;
};

/** Octets a second (or packets a second) of each series, for a chart of that many pixels between two moments. */
export function layOut(
  window: RatesWindow,
  range: { from: number; to: number },
  pixels: number,
  limit: number,
  measure: "octets" | "packets" = "octets",
): Layout {
  const wanted = (range.to - range.from) / Math.max(1, 2 * pixels);
  const factor = Math.max(1, Math.ceil(wanted / window.step));
  const bucket = window.step * factor;
  const begin = Math.floor(window.from / bucket) * bucket;
  const buckets = window.length === 0 ? 0 : Math.ceil((window.to - begin) / bucket);
  const offset = Math.round((window.from - begin) / window.step);
  const gather = (values: readonly (number | null)[]) => averages(values, buckets, factor, offset, window.step / 1000);
  const [inLane, outLane] = measure === "octets" ? (["in", "out"] as const) : (["packetsIn", "packetsOut"] as const);
  return {
    times: Array.from({ length: buckets }, (_, i) => (begin + i * bucket) / 1000),
    series: window.ranked(limit).map((one) => ({
      key: one.key,
      label: one.label,
      other: one.other,
      in: gather(one[inLane]),
      out: gather(one[outLane]),
    })),
    losses: lossesOf(window.losses, buckets, factor, offset),
    bucket: bucket / 1000,
  };
}

/** Mean over the steps of a bucket that have data; `null` where none has. */
function averages(values: readonly (number | null)[], buckets: number, factor: number, offset: number, step: number) {
  const result: (number | null)[] = Array.from<number | null>({ length: buckets }).fill(null);
  for (let i = 0; i < buckets; i += 1) {
    let [sum, known] = [0, 0];
    for (let j = i * factor - offset; j < (i + 1) * factor - offset; j += 1) {
      const value = values[j];
      if (value == null) continue;
      sum += value;
      known += 1;
    }
    if (known > 0) result[i] = sum / (known * step);
  }
  return result;
}

function lossesOf(losses: readonly LossPoint[], buckets: number, factor: number, offset: number): LossPoint[] {
  return Array.from({ length: buckets }, (_, i) => {
    const sum = { ...noLoss };
    for (let j = i * factor - offset; j < (i + 1) * factor - offset; j += 1) {
      const one = losses[j];
      if (one === undefined) continue;
      sum.kernelDrops += one.kernelDrops;
      sum.recordsDropped += one.recordsDropped;
      sum.flowsOther += one.flowsOther;
      sum.ringFill = Math.max(sum.ringFill, one.ringFill);
    }
    return sum;
  });
}

function lossAt({ losses }: Rates, i: number): LossPoint {
  return {
    kernelDrops: losses.kernel_drops[i] ?? 0,
    ringFill: losses.ring_fill[i] ?? 0,
    recordsDropped: losses.records_dropped[i] ?? 0,
    flowsOther: losses.flows_other[i] ?? 0,
  };
}

function isKnown(value: number | null): boolean {
  return value !== null;
}

function hasData(rates: Rates, i: number): boolean {
  return rates.series.length === 0 || rates.series.some((one) => one.in.octets[i] != null || one.out.octets[i] != null);
}

function place(lane: (number | null)[], start: number, values: Points["octets"]): void {
  for (let i = 0; i < values.length; i += 1) lane[start + i] = values[i] ?? null;
}

function pad<T>(list: T[], length: number, value: T): void {
  while (list.length < length) list.push(value);
}

function total(values: readonly (number | null)[]): number {
  return values.reduce<number>((sum, value) => sum + (value ?? 0), 0);
}

function sumOf(sum: WindowSeries, one: WindowSeries): WindowSeries {
  const add = (a: readonly (number | null)[], b: readonly (number | null)[]) =>
    a.map((value, i) => (value == null && b[i] == null ? null : (value ?? 0) + (b[i] ?? 0)));
  return {
    ...sum,
    in: add(sum.in, one.in),
    out: add(sum.out, one.out),
    packetsIn: add(sum.packetsIn, one.packetsIn),
    packetsOut: add(sum.packetsOut, one.packetsOut),
  };
}
