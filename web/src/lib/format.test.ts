import { describe, expect, it } from "vitest";
import { count, duration, percent, quantity, rate, roughCount, volume } from "./format";

const si = { rates: "bits", prefixes: "si", locale: "en" } as const;
const iecBytes = { rates: "bytes", prefixes: "iec", locale: "en" } as const;

describe("three significant figures", () => {
  it.each([
    [0, "0"],
    [7, "7"],
    [999, "999"],
    [999.6, "1.00 k"],
    [1000, "1.00 k"],
    [12_345, "12.3 k"],
    [999_499, "999 k"],
    [999_500, "1.00 M"],
    [-12_345, "-12.3 k"],
    [0.5, "0.500"],
  ])("%d is %s", (value, text) => expect(quantity(value, si)).toBe(text));
});

describe("units by choice", () => {
  it("writes rates in bits or bytes", () => {
    expect(rate(1_250_000, si)).toBe("10.0 Mbit/s");
    expect(rate(1_048_576, iecBytes)).toBe("1.00 MiB/s");
  });
  it("keeps 1000 to 1023 below the next binary prefix", () => expect(volume(1000, iecBytes)).toBe("1,000 B"));
  it("uses the decimal mark of the language", () =>
    expect(rate(1_234_567, { ...si, locale: "de" })).toBe("9,88 Mbit/s"));
});

describe("durations", () => {
  it.each([
    [0, "0 s"],
    [0.000_34, "340 µs"],
    [0.0123, "12.3 ms"],
    [0.9999, "1.00 s"],
    [4.5678, "4.57 s"],
    [30, "30 s"],
    [59.99, "1 min"],
    [200, "3 min 20 s"],
    [7500, "2 h 5 min"],
    [273_600, "3 d 4 h"],
    [-1, "–"],
  ])("%d s is %s", (seconds, text) => expect(duration(seconds, "en")).toBe(text));
});

describe("shares and counts", () => {
  it("never shows something as nothing", () => expect(percent(1, 1_000_000, "en")).toBe("< 0.01 %"));
  it("needs no more than hundredths of a percent", () => expect(percent(18, 100_000, "en")).toBe("0.02 %"));
  it("has no share of nothing", () => expect(percent(0, 0, "en")).toBe("–"));
  it("is exact at the ends", () => {
    expect(percent(0, 9, "en")).toBe("0 %");
    expect(percent(9, 9, "en")).toBe("100 %");
  });
  it("separates thousands", () => expect(count(1_234_567, "en")).toBe("1,234,567"));
  it("rounds counts only when they are long", () => {
    expect(roughCount(9_999, "en")).toBe("9,999");
    expect(roughCount(12_345, "en")).toBe("12.3 k");
  });
});
