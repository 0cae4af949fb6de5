/**
 * Where a chart's numbers come from: the stream while live, an answer of the API for everything else.
 *
 * Charts listen and draw by themselves; nothing here makes React render. While a new question is on its way the old numbers
 * stay and `stale` is set. When the stream names a series that the window did not have, the window is asked for anew, at most
 * every five seconds, so that every point belongs to the same ranking.
 */
import { useEffect, useState, useSyncExternalStore } from "react";
import { RequestError } from "~/api/problem";
import { type RatesQuestion, ratesQuery } from "~/api/queries";
import type { Problem, Rates } from "~/api/schema";
import { queryClient, stream } from "~/app/services";
import { RatesWindow } from "~/lib/rates";
import { noteServerTime, serverNow } from "~/time/clock";
import type { Time } from "~/time/time";

export type SourceQuestion = Omit<RatesQuestion, "from" | "to" | "step">;

const resyncEvery = 5000;
/**
 * The server ranks by the newest minute, the chart by its whole range: with more series than are shown, those that the chart wants
 * are nearly always among them.
 */
const spare = 3;
/** The most that the server gives. */
const mostSeries = 50;
/** More would not be seen: two a pixel on a wide screen. */
const mostSteps = 1800;

/** What a chart needs to draw. */
export interface ChartSource {
  readonly window: RatesWindow;
  readonly stale: boolean;
  readonly error: unknown;
  readonly onChange: (listener: () => void) => () => void;
  readonly snapshot: () => number;
  /** Whether the range ends now. */
  readonly live: boolean;
  range(): { from: number; to: number };
}

/** Numbers that are at hand already. */
export class FixedSource implements ChartSource {
  window = new RatesWindow();
  readonly stale = false;
  readonly error = undefined;
  readonly live = false;
  #range = { from: 0, to: 1 };
  #version = 0;
  #listeners = new Set<() => void>();

  readonly onChange = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  readonly snapshot = (): number => this.#version;

  range(): { from: number; to: number } {
    return this.#range;
  }

  show(rates: Rates, range: { from: number; to: number }): void {
    this.window = new RatesWindow();
    this.window.apply(rates);
    this.#range = range;
    this.#version += 1;
    for (const listener of this.#listeners) listener();
  }
}

export class RatesSource implements ChartSource {
  window = new RatesWindow();
  stale = true;
  error: unknown;
  /** Grows with every change, for those who look only now and then. */
  version = 0;
  #question = "";
  #fixed: { from: number; to: number } | undefined;
  #seconds = 300;
  #listeners = new Set<() => void>();

  readonly onChange = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  readonly snapshot = (): number => this.version;

  get live(): boolean {
    return this.#fixed === undefined;
  }

  /** What the chart spans, in milliseconds. */
  range(): { from: number; to: number } {
    if (this.#fixed !== undefined) return this.#fixed;
    const to = this.window.length > 0 ? this.window.to : serverNow();
    return { from: to - this.#seconds * 1000, to };
  }

  /** Begins to answer; the result ends it. */
  open(question: SourceQuestion, time: Time): () => void {
    const key = JSON.stringify(question);
    const same = key === this.#question;
    const held = time.mode === "paused" && same && this.window.length > 0 && this.#seconds === time.seconds;
    this.#question = key;
    this.#seconds = time.seconds;
    if (held) return () => {};
    this.stale = true;
    this.#changed();
    return time.mode === "live" ? this.#follow(question) : this.#fetch(question, time);
  }

  #follow(question: SourceQuestion): () => void {
    this.#fixed = undefined;
    const { by, filter, limit, interface: only } = question;
    const topic = {
      name: "rates" as const,
      by,
      ...(filter === undefined ? {} : { filter }),
      ...(limit === undefined ? {} : { limit: Math.min(mostSeries, spare * limit) }),
      ...(only === undefined ? {} : { interface: only }),
    };
    let end = () => {};
    let resync: ReturnType<typeof setTimeout> | undefined;
    const subscribe = () => {
      resync = undefined;
      end();
      let first = true;
      end = stream.subscribe({
        topic,
        since: () => new Date(serverNow() - this.#seconds * 1000).toISOString(),
        onProblem: (problem) => this.#fail(problem),
        onFrame: ({ time, data }) => {
          noteServerTime(time);
          if (data.name !== "rates") return;
          const grew = this.#take(data.value, first);
          first = false;
          if (grew) resync ??= setTimeout(subscribe, resyncEvery);
        },
      });
    };
    subscribe();
    return () => {
      clearTimeout(resync);
      end();
    };
  }

  #fetch(question: SourceQuestion, time: Time): () => void {
    let current = true;
    const step = Math.max(1, Math.ceil(time.seconds / mostSteps));
    const options = ratesQuery({ ...question, ...time.query, step });
    queryClient.fetchQuery(options).then(
      (rates) => {
        if (!current) return;
        this.#fixed = { from: Date.parse(time.query.from), to: Date.parse(time.query.to ?? rates.to) };
        this.#take(rates, true);
      },
      (error: unknown) => {
        if (current) this.#fail(error instanceof RequestError ? error : undefined);
      },
    );
    return () => {
      current = false;
      void queryClient.cancelQueries({ queryKey: options.queryKey });
    };
  }

  #take(rates: Rates, first: boolean): boolean {
    if (first) this.window = new RatesWindow();
    const grew = this.window.apply(rates);
    if (this.#fixed === undefined) this.window.trim(this.window.to - this.#seconds * 1000);
    this.stale = false;
    this.error = undefined;
    this.#changed();
    return grew;
  }

  #fail(error: Problem | RequestError | undefined): void {
    this.error = error instanceof RequestError || error === undefined ? error : new RequestError(error);
    this.#changed();
  }

  #changed(): void {
    this.version += 1;
    for (const listener of this.#listeners) listener();
  }
}

export function useRates(question: SourceQuestion, time: Time): RatesSource {
  const [source] = useState(() => new RatesSource());
  const key = JSON.stringify({ question, time });
  // biome-ignore lint/correctness/useExhaustiveDependencies: the key stands for both, by value
  useEffect(() => source.open(question, time), [source, key]);
  return source;
}

/** Milliseconds between two looks of those who render. */
const glance = 500;

/** Renders with the source, at most twice a second while it is live: for numbers and tables, not for drawings. */
export function useSourceVersion(source: ChartSource): number {
  const [subscribe] = useState(() => (listener: () => void) => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    let last = Number.NEGATIVE_INFINITY;
    let empty = true;
    const tell = () => {
      timer = undefined;
      last = performance.now();
      listener();
    };
    const wake = () => {
      const wait = last + glance - performance.now();
      // The first numbers are waited for.
      const first = empty && source.window.length > 0;
      empty &&= !first;
      if (wait <= 0 || first) tell();
      else timer ??= setTimeout(tell, wait);
    };
    const end = source.onChange(wake);
    return () => {
      clearTimeout(timer);
      end();
    };
  });
  return useSyncExternalStore(subscribe, source.snapshot);
}
