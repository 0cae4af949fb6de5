import { expect, it } from "vitest";
import { addressOf, clockStanding, worstCollectors } from "./state";

const collector = (name: string, state: "running" | "degraded" | "failed" | "idle") => ({ name, state, items: 1 });

it("says the worst of an agent's collectors, and how many are so", () => {
  const all = [collector("ping", "running"), collector("mtr", "degraded"), collector("dns", "degraded")];
  expect(worstCollectors(all)).toEqual({ state: "degraded", count: 2 });
  expect(worstCollectors([collector("ping", "idle"), collector("dns", "running")])?.state).toBe("running");
  expect(worstCollectors([])).toBeUndefined();
});

it("calls a clock wrong only when its error cannot explain the offset", () => {
  expect(clockStanding({ offset_seconds: -3, error_seconds: 0.01, synchronised: true })).toBe("wrong");
  expect(clockStanding({ offset_seconds: 3, error_seconds: 2.9, synchronised: true })).toBe("synchronised");
  expect(clockStanding({ offset_seconds: 0.001, error_seconds: 0.01, synchronised: false })).toBe("free");
});

it("prefers the address from which an agent is seen", () => {
  expect(addressOf({ peer_address: "198.51.100.7", addresses: ["10.0.0.4"] })).toBe("198.51.100.7");
  expect(addressOf({ peer_address: null, addresses: ["10.0.0.4", "fd00::4"] })).toBe("10.0.0.4");
  expect(addressOf({ addresses: [] })).toBeUndefined();
});
