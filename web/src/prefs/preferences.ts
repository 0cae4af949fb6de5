/** What a person chooses once and finds again: kept in the browser, never sent to the server. */
import { useSyncExternalStore } from "react";
import { isZone } from "~/time/zone";

export type Preferences = {
  theme: "system" | "light" | "dark";
  language: "system" | "en" | "de";
  rates: "bits" | "bytes";
  prefixes: "si" | "iec";
  rows: "compact" | "comfortable";
  rail: "wide" | "narrow";
  /** `system`, or the IANA name of the zone in which times are shown. */
  zone: string;
};

export const defaults: Preferences = {
  theme: "system",
  language: "system",
  rates: "bits",
  prefixes: "si",
  rows: "compact",
  rail: "wide",
  zone: "system",
};

type Chosen = Omit<Preferences, "zone">;
const choices: { [K in keyof Chosen]: readonly Chosen[K][] } = {
  theme: ["system", "light", "dark"],
  language: ["system", "en", "de"],
  rates: ["bits", "bytes"],
  prefixes: ["si", "iec"],
  rows: ["compact", "comfortable"],
  rail: ["wide", "narrow"],
};

/** `public/first-paint.js` reads the same key before this module is loaded. */
const storageKey = "netwatch.preferences";

/** Keeps what is known and valid; everything else falls back to its default. */
export function parsePreferences(text: string | null): Preferences {
  const result: Preferences = { ...defaults };
  try {
    const stored: unknown = JSON.parse(text ?? "{}");
    if (stored === null || typeof stored !== "object") return result;
    for (const key of Object.keys(choices) as (keyof Chosen)[]) {
      const value = (stored as Record<string, unknown>)[key];
      if ((choices[key] as readonly unknown[]).includes(value)) Object.assign(result, { [key]: value });
    }
    const { zone } = stored as Record<string, unknown>;
    if (typeof zone === "string" && isZone(zone)) result.zone = zone;
  } catch {
    // Damaged storage is the same as none.
  }
  return result;
}

let current = parsePreferences(read());
const listeners = new Set<() => void>();

export function preferences(): Preferences {
  return current;
}

export function setPreference<K extends keyof Preferences>(key: K, value: Preferences[K]): void {
  current = { ...current, [key]: value };
  write(JSON.stringify(current));
  applyToDocument(current);
  for (const listener of listeners) listener();
}

export function onPreferences(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

export function usePreferences(): Preferences {
  return useSyncExternalStore(onPreferences, preferences);
}

/** Other tabs of the same browser follow. */
export function watchStorage(): void {
  addEventListener("storage", (event) => {
    if (event.key !== storageKey) return;
    current = parsePreferences(event.newValue);
    applyToDocument(current);
    for (const listener of listeners) listener();
  });
}

function applyToDocument(p: Preferences): void {
  const root = document.documentElement;
  if (p.theme === "system") delete root.dataset.theme;
  else root.dataset.theme = p.theme;
  root.dataset.rows = p.rows;
  root.dataset.rail = p.rail;
}

function read(): string | null {
  try {
    return localStorage.getItem(storageKey);
  } catch {
    return null;
  }
}

function write(text: string): void {
  try {
    localStorage.setItem(storageKey, text);
  } catch {
    // Private windows may forbid storage; the choice then lasts as long as the page.
  }
}
