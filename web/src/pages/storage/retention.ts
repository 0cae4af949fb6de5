/** The form of retention: days, gibibytes and percentages as people write them, and back. Pure. */
import type { StorageKind, StorageLimit, StorageRetention, StorageRetentionPut } from "~/api/schema";

const day = 86_400;
const gib = 2 ** 30;

export type Unit = "days" | "gib" | "percent";

/** One number of the form: where it stands in a request, and the limit that it shows. */
export type Entry = { parameter: string; kind: StorageKind | undefined; unit: Unit; limit: StorageLimit };

const factor: Readonly<Record<Unit, number>> = { days: day, gib, percent: 1 };

export function entriesOf({ kinds, warn_percent, stop_percent, stop_bytes }: StorageRetention): Entry[] {
  const disk = (parameter: string, unit: Unit, limit: StorageLimit): Entry => ({
    parameter,
    kind: undefined,
    unit,
    limit,
  });
  return [
    ...kinds.flatMap(({ kind, age_seconds, bytes }): Entry[] => [
      { parameter: `kinds[${kind}].age_seconds`, kind, unit: "days", limit: age_seconds },
      { parameter: `kinds[${kind}].bytes`, kind, unit: "gib", limit: bytes },
    ]),
    disk("warn_percent", "percent", warn_percent),
    disk("stop_percent", "percent", stop_percent),
    disk("stop_bytes", "gib", stop_bytes),
  ];
}

/** A limit as it is written in its field. */
export function written({ unit, limit }: Pick<Entry, "unit" | "limit">): string {
  return String(Number((limit.value / factor[unit]).toPrecision(6)));
}

/** What a field says; undefined when it is no number or out of range. A field that was not changed keeps its value exactly. */
export function read(entry: Entry, text: string): number | undefined {
  if (text === written(entry)) return entry.limit.value;
  const number = Number(text.replace(",", "."));
  const value = Math.round(number * factor[entry.unit]);
  const fits = text.trim() !== "" && Number.isFinite(number) && value >= entry.limit.min && value <= entry.limit.max;
  return fits ? value : undefined;
}

/** The request of a form whose fields are all right; what the configuration says is left out. */
export function requestOf(entries: readonly Entry[], texts: Readonly<Record<string, string>>): StorageRetentionPut {
  const value = (parameter: string) => {
    const entry = entries.find((one) => one.parameter === parameter);
    if (entry === undefined || entry.limit.managed_by != null) return null;
    return read(entry, texts[parameter] ?? "") ?? null;
  };
  const kinds = [...new Set(entries.flatMap(({ kind }) => (kind === undefined ? [] : [kind])))];
  return {
    kinds: kinds.map((kind) => ({
      kind,
      age_seconds: value(`kinds[${kind}].age_seconds`),
      bytes: value(`kinds[${kind}].bytes`),
    })),
    warn_percent: value("warn_percent"),
    stop_percent: value("stop_percent"),
    stop_bytes: value("stop_bytes"),
  };
}
