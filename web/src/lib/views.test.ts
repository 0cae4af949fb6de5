import { describe, expect, it } from "vitest";
import { keptOf, targetOf } from "./views";

describe("a saved view", () => {
  it("keeps what a page is asked, and no open panel", () => {
    const kept = keptOf({
      dims: "source,port",
      filter: 'sni ~ "*.example.com"',
      from: "-24h",
      flow: "7",
      talker: "a:b",
    });
    expect(kept).toBe("dims=source%2Cport&filter=sni+%7E+%22*.example.com%22&from=-24h");
    expect(keptOf({})).toBe("");
  });

  it("leads back to the same page and question", () => {
    const search = { dims: "source", filter: "port = 53", from: "-7d", chart: "sankey" as const };
    expect(targetOf({ page: "history", query: keptOf(search) })).toEqual({ to: "/history", search });
    expect(targetOf({ page: "series", query: "metric=x" })).toEqual({ to: "/series", search: { metric: "x" } });
  });

  it("takes nothing from a query that no page knows", () => {
    const target = targetOf({ page: "elsewhere", query: "by=nothing&__proto__=x&chart=<b>" });
    expect(target).toEqual({ to: "/traffic", search: {} });
  });
});
