import { expect, it } from "vitest";
import { statisticsOf } from "./series-statistics";

it("leaves out steps without data", () =>
  expect(statisticsOf([null, 2, 4, null], 2)).toEqual({ min: 1, mean: 1.5, p95: 2, max: 2, total: 6 }));
it("takes the nearest rank for the 95th percentile", () =>
  expect(
    statisticsOf(
      Array.from({ length: 100 }, (_, i) => i + 1),
      1,
    ).p95,
  ).toBe(95));
it("is zero for nothing", () => expect(statisticsOf([null], 1).mean).toBe(0));
