import { expect, it } from "vitest";
import type { StorageLimit, StorageRetention } from "~/api/schema";
import { entriesOf, read, requestOf, written } from "./retention";

const day = 86_400;
const limit = (value: number, managed_by: string | null = null): StorageLimit => ({
  value,
  default: value,
  min: 3600,
  max: 1e15,
  managed_by,
});
const percent = (value: number): StorageLimit => ({ value, default: value, min: 0, max: 90, managed_by: null });
const retention: StorageRetention = {
  kinds: [{ kind: "flows", age_seconds: limit(30 * day), bytes: limit(20 * 2 ** 30, "netwatch.yaml:3:5") }],
  warn_percent: percent(20),
  stop_percent: percent(10),
  stop_bytes: limit(123_456_789),
};

it("writes days, gibibytes and percentages", () => {
  expect(entriesOf(retention).map(written)).toEqual(["30", "20", "20", "10", "0.114978"]);
});

it("reads what people write, and keeps what they leave alone to the byte", () => {
  const [age, , warn, , stop] = entriesOf(retention);
  if (age === undefined || warn === undefined || stop === undefined) throw new Error("five entries");
  expect(read(age, "1,5")).toBe(1.5 * day);
  expect(read(stop, written(stop))).toBe(123_456_789);
  for (const bad of ["", "x", "-1", "0.01", "1e99"]) expect(read(age, bad)).toBeUndefined();
  expect(read(warn, "91")).toBeUndefined();
});

it("asks for everything but what the configuration says", () => {
  const entries = entriesOf(retention);
  const texts = Object.fromEntries(entries.map((entry) => [entry.parameter, written(entry)]));
  expect(requestOf(entries, { ...texts, "kinds[flows].age_seconds": "7" })).toEqual({
    kinds: [{ kind: "flows", age_seconds: 7 * day, bytes: null }],
    warn_percent: 20,
    stop_percent: 10,
    stop_bytes: 123_456_789,
  });
});
