import { describe, expect, it } from "vitest";
import type { TraceHop, TracePath } from "~/api/schema";
import { asPath, compared, hopState, isOtherRoute, systemName, unanswered } from "./trace-diff";

const hop = (ttl: number, address?: string, more: Partial<TraceHop> = {}): TraceHop => ({
  ttl,
  ...(address !== undefined && { address }),
  sent: 10,
  answered: address === undefined ? 0 : 10,
  rate_limited: false,
  ...more,
});
const path = (...hops: TraceHop[]): TracePath => ({ id: "0123456789abcdef", flow: 1, hops });

describe("two traces", () => {
  const before = path(hop(1, "192.0.2.1"), hop(2), hop(3, "198.51.100.1"), hop(4, "203.0.113.9"));
  it("are the same when nothing changed", () => {
    const pairs = compared(before, before);
    expect(pairs.map(({ change }) => change)).toEqual(["same", "same", "same", "same"]);
    expect(isOtherRoute(pairs)).toBe(false);
  });
  it("show each hop that changed, is new or is gone", () => {
    const after = path(hop(1, "192.0.2.1"), hop(2, "192.0.2.7"), hop(3, "198.51.100.2"));
    expect(compared(before, after).map(({ ttl, change }) => [ttl, change])).toEqual([
      [1, "same"],
      [2, "answers"],
      [3, "address"],
      [4, "gone"],
    ]);
    expect(compared(after, before).at(-1)?.change).toBe("new");
  });
  it("take the same way when a hop only falls silent", () => {
    const after = path(hop(1), hop(2), hop(3, "198.51.100.1"), hop(4, "203.0.113.9"));
    const pairs = compared(before, after);
    expect(pairs[0]?.change).toBe("silent");
    expect(isOtherRoute(pairs)).toBe(false);
  });
  it("differ in their labels", () => {
    const label = (label: number) => [{ label, class: 0, ttl: 1 }];
    const [one, other] = [path(hop(1, "::1", { mpls: label(16) })), path(hop(1, "::1", { mpls: label(17) }))];
    expect(compared(one, other)[0]?.change).toBe("labels");
  });
});

describe("the systems of a path", () => {
  it("are told once each, in order, and unknown ones are passed over", () => {
    const on = (ttl: number, asn: number, organization?: string) =>
      hop(ttl, `192.0.2.${ttl}`, { asn, ...(organization !== undefined && { organization }) });
    const way = path(hop(1, "10.0.0.1"), on(2, 64_500, "Carrier"), hop(3), on(4, 64_500), on(5, 64_501), on(6, 64_500));
    expect(asPath(way).map(systemName)).toEqual(["AS64500 Carrier", "AS64501", "AS64500"]);
    expect(asPath(path(hop(1)))).toEqual([]);
  });
});

describe("a hop", () => {
  it("is silent, not lossy, without an answer", () => expect(hopState(hop(1), path(hop(1)))).toBe("silent"));
  it("limits its answers when a later hop answers all", () => {
    const seldom = hop(1, "192.0.2.1", { answered: 4 });
    expect(hopState(seldom, path(seldom, hop(2, "192.0.2.2")))).toBe("limited");
    expect(unanswered(seldom)).toBeCloseTo(0.6);
  });
  it("is lossy when the loss goes on to the end", () => {
    const [lossy, last] = [hop(1, "192.0.2.1", { answered: 8 }), hop(2, "192.0.2.2", { answered: 8 })];
    expect(hopState(lossy, path(lossy, last))).toBe("lossy");
  });
});
