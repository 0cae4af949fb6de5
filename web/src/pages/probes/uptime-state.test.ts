import { describe, expect, it } from "vitest";
import { availabilityText, budgetState, neighbour, partState, sharesOf, together } from "./uptime-state";

const part = (of: object) => ({ from: "2026-11-21T00:00:00Z", to: "2026-11-22T00:00:00Z", ...of });
const budget = (allowed: number, left: number) => ({ objective: 0.999, allowed, left, met: true });

describe("a part of a period", () => {
  it("has shares that add up to one", () => {
    const shares = sharesOf(part({ up: 60, down: 20, unknown: 20 }));
    expect(Object.values(shares).reduce((a, b) => a + b)).toBeCloseTo(1);
    expect(shares.maintenance).toBe(0);
  });
  it.each([
    [{ up: 86_399, down: 1 }, "down"],
    [{ up: 100 }, "up"],
    [{ up: 1, unknown: 99 }, "up"],
    [{ up: 1, degraded: 2 }, "degraded"],
    [{ maintenance: 60, unknown: 40 }, "maintenance"],
    [{ unknown: 5 }, "unknown"],
    [{}, "unknown"],
  ])("%j is %s", (of, state) => expect(partState(part(of))).toBe(state));
});

describe("availability", () => {
  it.each([
    [1, "100 %"],
    [0.99999, "99.9990 %"],
    [0.9999999, "99.9999 %"],
    [0.999, "99.900 %"],
    [0.9987654, "99.876 %"],
    [0.5, "50.00 %"],
    [0, "0.00 %"],
    [null, "–"],
  ])("%s is written as %s and never rounded up", (share, text) => expect(availabilityText(share, "en")).toBe(text));
  it("of some probes is that of all their seconds", () => {
    const one = { up: 90, degraded: 0, down: 10, maintenance: 5, unknown: 0, maintenance_down: 0, outages: 1 };
    expect(together([one, { ...one, up: 300, down: 0 }]).availability).toBe(0.975);
    expect(together([]).availability).toBeUndefined();
  });
});

describe("an error budget", () => {
  it.each([
    [100, 90, "ok"],
    [100, 24, "low"],
    [100, -1, "spent"],
  ] as const)("of %d with %d left is %s", (allowed, left, standing) =>
    expect(budgetState(budget(allowed, left))?.standing).toBe(standing),
  );
  it("of nothing is none", () => expect(budgetState(budget(0, 0))).toBeUndefined());
});

describe("the period before and after", () => {
  const month = { from: "2026-02-01T00:00:00Z", until: "2026-03-01T00:00:00Z" };
  const now = Date.parse("2026-03-10T00:00:00Z");
  it("lies before", () => expect(neighbour(month, -1, now)).toBe("2026-01-31T23:59:59Z"));
  it("lies after, and never in the future", () => {
    expect(neighbour(month, 1, now)).toBe("2026-03-10T00:00:00Z");
    expect(neighbour({ from: "2026-03-01T00:00:00Z", until: "2026-04-01T00:00:00Z" }, 1, now)).toBeUndefined();
  });
});
