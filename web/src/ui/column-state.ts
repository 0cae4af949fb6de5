/** Which columns of a table are hidden and how wide they are: remembered in the browser, one entry for each table. */
import { useCallback, useSyncExternalStore } from "react";

type Stored = { hidden?: string[]; shown?: string[]; widths?: Record<string, number> };

export type ColumnState = {
  hidden: ReadonlySet<string>;
  widths: Readonly<Record<string, number>>;
  toggle: (id: string) => void;
  resize: (id: string, width: number) => void;
};

const cache = new Map<string, Stored>();
const listeners = new Set<() => void>();

export function useColumns(name: string, columns: readonly { id: string; optional?: boolean }[]): ColumnState {
  const stored = useSyncExternalStore(
    onChange,
    useCallback(() => load(name), [name]),
  );
  const hidden = new Set(
    columns
      .filter(({ id, optional }) => (optional ? !stored.shown?.includes(id) : stored.hidden?.includes(id)))
      .map(({ id }) => id),
  );
  return {
    hidden,
    widths: stored.widths ?? {},
    toggle: (id) => {
      const list = columns.find((column) => column.id === id)?.optional ? "shown" : "hidden";
      const listed = stored[list] ?? [];
      save(name, { ...stored, [list]: listed.includes(id) ? listed.filter((one) => one !== id) : [...listed, id] });
    },
    resize: (id, width) => save(name, { ...load(name), widths: { ...load(name).widths, [id]: width } }),
  };
}

function onChange(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

function load(name: string): Stored {
  let found = cache.get(name);
  if (found === undefined) {
    found = read(name);
    cache.set(name, found);
  }
  return found;
}

function save(name: string, stored: Stored): void {
  cache.set(name, stored);
  try {
    localStorage.setItem(storageKey(name), JSON.stringify(stored));
  } catch {
    // Without storage the choice lasts as long as the page.
  }
  for (const listener of listeners) listener();
}

function read(name: string): Stored {
  try {
    const value: unknown = JSON.parse(localStorage.getItem(storageKey(name)) ?? "{}");
    return isStored(value) ? value : {};
  } catch {
    return {};
  }
}

function isStored(value: unknown): value is Stored {
  if (typeof value !== "object" || value === null) return false;
  const { hidden = [], shown = [], widths = {} } = value as Stored;
  return Array.isArray(hidden) && Array.isArray(shown) && typeof widths === "object";
}

function storageKey(name: string): string {
  return `netwatch.columns.${name}`;
}
