/**
 * Which time the pages show: live (a range that ends now), paused (that range, held), or historical (between two moments).
 *
 * The range is in the URL. Paused is not: it holds the moment at which it was pressed, and ends when the range changes. A calendar
 * range is historical; where it lies is looked at anew every minute.
 */
import { useNavigate, useSearch } from "@tanstack/react-router";
import { useCallback, useMemo, useSyncExternalStore } from "react";
import type { AppSearch } from "~/app/search";
import { useZone } from "~/prefs/use-zone";
import { copyText } from "~/ui/copy";
import { serverNow } from "./clock";
import {
  copiedRange,
  defaultRange,
  parseTyped,
  queryOfRange,
  type RangeQuery,
  rangeOfSearch,
  scaledRange,
  searchOfRange,
  shiftedRange,
  spanOf,
  type TimeRange,
} from "./range";
import { noteRecent } from "./recent";
import type { Zone } from "./zone";

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

const minute = 60_000;
const thisMinute = () => Math.floor(serverNow() / minute);
const never = () => 0;

function onMinute(listener: () => void): () => void {
  const timer = setInterval(listener, 5000);
  return () => clearInterval(timer);
}

export function useTime(): Time {
  const { from, to } = useSearch({ strict: false }) as AppSearch;
  const zone = useZone();
  const held = useSyncExternalStore(onPaused, () => pausedAt);
  const range = useMemo(() => rangeOfSearch(from, to), [from, to]);
  const tick = useSyncExternalStore(onMinute, range.kind === "calendar" ? thisMinute : never);
  return useMemo(() => timeOf(range, held, tick, zone), [range, held, tick, zone]);
}

function timeOf(range: TimeRange, held: number | undefined, tick: number, zone: Zone): Time {
  const span = spanOf(range, held ?? (tick === 0 ? 0 : Math.min(serverNow(), (tick + 1) * minute)), zone);
  const seconds = (span.to - span.from) / 1000;
  const query = queryOfRange(range, span);
  if (range.kind !== "relative") return { mode: "historical", range, query, seconds, pausedAt: undefined };
  if (held === undefined) return { mode: "live", range, query, seconds, pausedAt: undefined };
  const fixed = queryOfRange({ kind: "absolute", ...span }, span);
  return { mode: "paused", range, query: fixed, seconds, pausedAt: held };
}

export type TimeActions = {
  setRange: (range: TimeRange) => void;
  /** A part of what is shown; `zoomOut` goes back to where it came from. */
  zoomTo: (from: number, to: number) => void;
  zoomOut: () => void;
  /** Half the range, about its middle. */
  zoomIn: () => void;
  /** The range before or after this one. */
  shift: (direction: -1 | 1) => void;
  /** Puts the range into the clipboard, in the form that Grafana uses. */
  copy: () => void;
  /** Takes a range from the clipboard; without leave to read it, the one that was copied here last. */
  paste: () => Promise<void>;
  goLive: () => void;
  togglePause: () => void;
};

/** Ranges that were left by zooming in, newest last. Bounded: only the last 50 steps can be undone. */
const zooms: TimeRange[] = [];
let copied: string | undefined;

export function useTimeActions(): TimeActions {
  const navigate = useNavigate();
  const zone = useZone();
  const { range, mode } = useTime();
  const setRange = useCallback(
    (next: TimeRange) => {
      setPaused(undefined);
      noteRecent(next);
      void navigate({ to: ".", search: (previous: AppSearch) => ({ ...previous, ...searchOfRange(next) }) });
    },
    [navigate],
  );
  return useMemo(() => {
    const zoomInto = (next: TimeRange) => {
      zooms.push(range);
      if (zooms.length > 50) zooms.shift();
      setRange(next);
    };
    return {
      setRange,
      zoomTo: (from, to) =>
        zoomInto({
          kind: "absolute",
          from: Math.round(from),
          to: Math.max(Math.round(to), Math.round(from) + 1000),
        }),
      zoomOut: () => setRange(zooms.pop() ?? scaledRange(range, 2, serverNow(), zone)),
      zoomIn: () => zoomInto(scaledRange(range, 0.5, serverNow(), zone)),
      shift: (direction) => setRange(shiftedRange(range, direction, serverNow(), zone)),
      copy: () => {
        copied = copiedRange(range);
        copyText(copied);
      },
      paste: async () => {
        const text = await navigator.clipboard?.readText?.().catch(() => undefined);
        const pasted = [text, copied].map((one) => one && parseTyped(one, serverNow(), zone)).find((one) => one);
        if (pasted) setRange(pasted);
      },
      goLive: () => setRange(range.kind === "relative" ? range : defaultRange),
      togglePause: () => {
        if (mode === "live") setPaused(serverNow());
        else if (mode === "paused") setPaused(undefined);
        else setRange(defaultRange);
      },
    };
  }, [setRange, range, mode, zone]);
}
