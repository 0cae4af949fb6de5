import { describe, expect, it } from "vitest";
import { addressIn, auditFile, identityProvider, paths } from "./paths";

describe("links", () => {
  it("take the range of time along and leave the rest behind", () =>
    expect(paths.host("10.0.0.1", { from: "-15m", filter: "port 443", flow: "x" }).search).toEqual({ from: "-15m" }));
  it("carry the state of the page that they lead to", () =>
    expect(paths.traffic({ from: "-1h" }, { filter: "port 53" }).search).toEqual({ from: "-1h", filter: "port 53" }));
  it("hand addresses to the router, which encodes them", () =>
    expect(paths.host("fe80::1").params).toEqual({ address: "fe80::1" }));
});

describe("plain addresses", () => {
  it("ask for a file with the question of the list, from its first page", () =>
    expect(auditFile({ search: "a&b", cursor: "x", action: undefined }, "csv", true)).toBe(
      "/api/v1/site/audit?format=csv&limit=500&search=a%26b",
    ));
  it("encode the word of a provider", () => expect(identityProvider("a/b")).toBe("/auth/oidc/a%2Fb/start"));
});

describe("addresses", () => {
  it.each([
    ["10.0.0.1", "10.0.0.1"],
    [" 2001:DB8::1 ", "2001:db8::1"],
    ["[::1]", "::1"],
    ["::", "::"],
    ["1:2:3:4:5:6:7:8", "1:2:3:4:5:6:7:8"],
    ["::ffff:10.0.0.1", "::ffff:10.0.0.1"],
  ])("%s is one", (text, address) => expect(addressIn(text)).toBe(address));
  it.each(["", "10.0.0", "10.0.0.256", "1:2:3", "::1::", ":::", "g::1", "javascript:alert(1)", "1:2:3:4:5:6:7:8:9"])(
    "%j is none",
    (text) => expect(addressIn(text)).toBeUndefined(),
  );
});
