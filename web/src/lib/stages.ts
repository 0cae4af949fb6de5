/** The way of the data stage by stage, and the first of them at which it stops: the answer to "why do I see nothing?". */
import type { Interface, Statistics, Storage } from "~/api/schema";

export type StageName = "received" | "dissected" | "table" | "records" | "store" | "stored";

export const stageNames: readonly StageName[] = ["received", "dissected", "table", "records", "store", "stored"];

export type StageVerdict =
  | { kind: "flowing" }
  | { kind: "lossy"; stages: StageName[] }
  | { kind: "stopped"; stage: StageName }
  | { kind: "denied" }
  | { kind: "ended" };

/** What each stage has lost since the start. */
export function lossesOf({ capture, table, store }: Statistics, storage?: Storage): Record<StageName, number> {
  return {
    received: capture.kernel_drops,
    dissected: capture.fragments_unknown,
    table: table.other,
    records: store.records_dropped,
    store: store.archive_dropped,
    stored: storage?.set_aside ?? 0,
  };
}

/** `storage` is absent where nothing is stored: with a capture file. */
export function whereItStops(
  statistics: Statistics,
  interfaces: readonly Interface[],
  storage?: Storage,
): StageVerdict {
  const { capture, table, store } = statistics;
  const all = (state: Interface["state"]) => interfaces.length > 0 && interfaces.every((one) => one.state === state);
  if (all("denied")) return { kind: "denied" };
  if (capture.frames === 0) return { kind: "stopped", stage: "received" };
  if (capture.packets === 0) return { kind: "stopped", stage: "dissected" };
  if (table.started === 0 && table.active === 0) return { kind: "stopped", stage: "table" };
  if (store.records === 0) return { kind: "stopped", stage: "records" };
  if (store.live_flows + store.archived_flows === 0) return { kind: "stopped", stage: "store" };
  if (storage?.state === "read_only") return { kind: "stopped", stage: "stored" };
  const losses = lossesOf(statistics, storage);
  // A full archive forgets its oldest by design; that is no loss on the way.
  const lossy = stageNames.filter((stage) => stage !== "store" && losses[stage] > 0);
  if (lossy.length > 0) return { kind: "lossy", stages: lossy };
  return all("ended") ? { kind: "ended" } : { kind: "flowing" };
}
