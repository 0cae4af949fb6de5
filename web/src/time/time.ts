/**
 * Which time the pages show: live (a range that ends now), paused (that range, held), or historical (between two moments).
 *
 * The range is in the URL. Paused is not: it holds the moment at which it was pressed, and ends when the range changes.
 */
import { useNavigate, useSearch } from "@tanstack/react-router";
import { useCallback, useMemo, useSyncExternalStore } from "react";
import type { AppSearch } from "~/app/search";
import { serverNow } from "./clock";
import { queryOfRange, type RangeQuery, rangeOfSearch, searchOfRange, secondsOf, type TimeRange } from "./range";

export type TimeMode = "live" | "paused" | "historical";

export type Time = {
  mode: TimeMode;
  /** What was asked for. */
  range: TimeRange;
  /** What to ask the server: the held moment in place of now when paused. */
  query: RangeQuery;
  seconds: number;
  /** Only when paused: milliseconds on the server's clock. */
  pausedAt: number | undefined;
};

let pausedAt: number | undefined;
const listeners = new Set<() => void>();

export function setPaused(at: number | undefined): void {
  pausedAt = at;
  for (const listener of listeners) listener();
}

function onPaused(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

export function useTime(): Time {
  const { from, to } = useSearch({ strict: false }) as AppSearch;
  const held = useSyncExternalStore(onPaused, () => pausedAt);
  return useMemo(() => timeOf(rangeOfSearch(from, to), held), [from, to, held]);
}

function timeOf(range: TimeRange, held: number | undefined): Time {
  const seconds = secondsOf(range);
  if (range.kind === "absolute") {
    return { mode: "historical", range, query: queryOfRange(range), seconds, pausedAt: undefined };
  }
  if (held === undefined) return { mode: "live", range, query: queryOfRange(range), seconds, pausedAt: undefined };
  const query = queryOfRange({ kind: "absolute", from: held - seconds * 1000, to: held });
  return { mode: "paused", range, query, seconds, pausedAt: held };
}

export type TimeActions = {
  setRange: (range: TimeRange) => void;
  /** A part of what is shown; `zoomOut` goes back to where it came from. */
  zoomTo: (from: number, to: number) => void;
  zoomOut: () => void;
  goLive: () => void;
  togglePause: () => void;
};

/** Ranges that were left by zooming in, newest last. Bounded: only the last 50 steps can be undone. */
const zooms: TimeRange[] = [];

export function useTimeActions(): TimeActions {
  const navigate = useNavigate();
  const { range, mode } = useTime();
  const setRange = useCallback(
    (next: TimeRange) => {
      setPaused(undefined);
      void navigate({ to: ".", search: (previous: AppSearch) => ({ ...previous, ...searchOfRange(next) }) });
    },
    [navigate],
  );
  return useMemo(
    () => ({
      setRange,
      zoomTo: (from, to) => {
        zooms.push(range);
        if (zooms.length > 50) zooms.shift();
        setRange({ kind: "absolute", from: Math.round(from), to: Math.max(Math.round(to), Math.round(from) + 1000) });
      },
      zoomOut: () => {
        const previous = zooms.pop();
        if (previous !== undefined) setRange(previous);
        else if (range.kind === "absolute") setRange({ kind: "relative", seconds: 300 });
      },
      goLive: () => setRange(range.kind === "relative" ? range : { kind: "relative", seconds: 300 }),
      togglePause: () => {
        if (mode === "live") setPaused(serverNow());
        else if (mode === "paused") setPaused(undefined);
        else setRange({ kind: "relative", seconds: 300 });
      },
    }),
    [setRange, range, mode],
  );
}
