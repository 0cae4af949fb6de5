/** What the numbers of the store mean for tomorrow. Pure. */
import type { Storage, StorageUsage } from "~/api/schema";

const day = 86_400;

/** Sums over all kinds; growth is absent when that of a kind that takes room is not known yet. */
export function totalsOf(kinds: readonly StorageUsage[]): {
  bytes: number;
  files: number;
  bytesPerDay: number | undefined;
} {
  const known = kinds.filter(({ bytes_per_day }) => bytes_per_day != null);
  return {
    bytes: kinds.reduce((sum, one) => sum + one.bytes, 0),
    files: kinds.reduce((sum, one) => sum + one.files, 0),
    bytesPerDay: known.length === 0 ? undefined : known.reduce((sum, one) => sum + (one.bytes_per_day ?? 0), 0),
  };
}

/** Which limit a kind reaches first as it grows now: its age, its bytes; or it is not known yet. */
export function limitOf({ bytes_per_day, keep_bytes, keep_seconds }: StorageUsage): "age" | "bytes" | "unknown" {
  if (bytes_per_day == null) return "unknown";
  return (bytes_per_day * keep_seconds) / day > keep_bytes ? "bytes" : "age";
}

/** What everything will take once each kind has reached its limit; absent while growth is not known. */
export function settledBytes(kinds: readonly StorageUsage[]): number | undefined {
  if (kinds.every(({ bytes_per_day }) => bytes_per_day == null)) return undefined;
  return kinds.reduce((sum, one) => {
    const grown = ((one.bytes_per_day ?? 0) * one.keep_seconds) / day;
    return sum + Math.max(one.bytes, Math.min(one.keep_bytes, grown));
  }, 0);
}

/** Shares of the disk, which add up to 1: the store, everything else, free. */
export function sharesOf({ kinds, disk_total, disk_free }: Storage): { store: number; others: number; free: number } {
  const whole = Math.max(1, disk_total);
  const free = Math.min(1, disk_free / whole);
  const store = Math.min(1 - free, totalsOf(kinds).bytes / whole);
  return { store, others: Math.max(0, 1 - free - store), free };
}
