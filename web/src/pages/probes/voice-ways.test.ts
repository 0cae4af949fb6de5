import { expect, it } from "vitest";
import type { VoicePath } from "~/api/schema";
import { codecName, endsOf, sharesOf, worstFactor } from "./voice-ways";

const way = (codec: number, loss: number, delay: number) =>
  ({ codec_impairment: codec, loss_impairment: loss, voice: { delay_impairment: delay } }) as VoicePath;

it("says who speaks and who listens", () => {
  expect(endsOf({ way: "forward", target: "b" }, "a")).toEqual({ from: "a", to: "b", arrow: "→" });
  expect(endsOf({ way: "reverse", target: "b" }, "a")).toEqual({ from: "b", to: "a", arrow: "→" });
  expect(endsOf({ way: "round_trip", target: "b" }, "a")).toEqual({ from: "a", to: "b", arrow: "⇄" });
});

it("divides the best rating into what is left and what was taken", () => {
  const { left, shares } = sharesOf(way(10, 20, 5), 100);
  expect(left).toBeCloseTo(0.65);
  expect(shares.map(({ factor, share }) => [factor, share])).toEqual([
    ["codec", 0.1],
    ["loss", 0.2],
    ["delay", 0.05],
  ]);
});

it("never divides more than there is", () => {
  const { left, shares } = sharesOf(way(11, 95, 60), 93.2);
  expect(left).toBe(0);
  expect(shares.reduce((sum, { share }) => sum + share, 0)).toBeCloseTo(1);
});

it("names what costs the most, if anything does", () => {
  expect(worstFactor(way(0, 12, 3), 93.2)).toBe("loss");
  expect(worstFactor(way(0, 0.2, 0.1), 93.2)).toBeUndefined();
});

it("names codecs as people write them, and unknown ones as they come", () =>
  expect(["g729a", "opus"].map(codecName)).toEqual(["G.729A", "opus"]));
