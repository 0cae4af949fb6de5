import { describe, expect, it } from "vitest";
import type { Storage, StorageUsage } from "~/api/schema";
import { limitOf, settledBytes, sharesOf, totalsOf } from "./forecast";

const day = 86_400;
const usage = (change: Partial<StorageUsage>): StorageUsage => ({
  kind: "flows",
  files: 1,
  bytes: 100,
  keep_seconds: 30 * day,
  keep_bytes: 1000,
  bytes_per_day: 10,
  oldest: null,
  ...change,
});

it("adds the kinds up", () =>
  expect(totalsOf([usage({}), usage({ bytes: 50, files: 2, bytes_per_day: null })])).toEqual({
    bytes: 150,
    files: 3,
    bytesPerDay: 10,
  }));

describe("the limit that is reached first", () => {
  it("is the age when growth stays below the bytes", () => expect(limitOf(usage({ bytes_per_day: 10 }))).toBe("age"));
  it("is the bytes when it does not", () => expect(limitOf(usage({ bytes_per_day: 100 }))).toBe("bytes"));
  it("is not known before there is growth", () => expect(limitOf(usage({ bytes_per_day: null }))).toBe("unknown"));
});

it("tells what everything will settle at", () => {
  expect(settledBytes([usage({ bytes_per_day: 10 }), usage({ bytes_per_day: 100 })])).toBe(300 + 1000);
  expect(settledBytes([usage({ bytes_per_day: 1, bytes: 200 })])).toBe(200);
  expect(settledBytes([usage({ bytes_per_day: null })])).toBeUndefined();
});

it("divides the disk without a rest", () => {
  const storage = { kinds: [usage({ bytes: 250 })], disk_total: 1000, disk_free: 600 } as unknown as Storage;
  expect(sharesOf(storage)).toEqual({ store: 0.25, others: expect.closeTo(0.15), free: 0.6 });
});
