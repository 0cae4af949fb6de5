import { describe, expect, it } from "vitest";
import type { Flow, FlowTcp } from "~/api/schema";
import { verdictOf } from "./verdict";

const quiet: FlowTcp = {
  flags: "SPA",
  reverse_flags: "SPA",
  server_rtt: 0.01,
  client_rtt: 0.001,
  response_time: 0.02,
  retransmitted: 0,
  reverse_retransmitted: 0,
  out_of_order: 0,
  reverse_out_of_order: 0,
  duplicates: 0,
  reverse_duplicates: 0,
  zero_windows: 0,
  reverse_zero_windows: 0,
};

function judge(tcp: Partial<FlowTcp>, flow: Partial<Flow> = {}) {
  return verdictOf({
    packets: 100,
    reverse_packets: 100,
    state: "established",
    ...flow,
    tcp: { ...quiet, ...tcp },
  } as Flow);
}

describe("network or application", () => {
  it("is neither when all is quick and nothing was lost", () => expect(judge({})?.blame).toBe("neither"));
  it("is the network when segments are lost", () => {
    const verdict = judge({ reverse_retransmitted: 5 });
    expect(verdict?.blame).toBe("network");
    expect(verdict?.findings).toEqual([{ kind: "loss", side: "server", retransmitted: 5, packets: 100, share: 0.05 }]);
  });
  it("does not judge by one or two retransmissions, nor by few among many", () => {
    expect(judge({ retransmitted: 2 })?.blame).toBe("neither");
    expect(judge({ retransmitted: 5 }, { packets: 10_000 })?.blame).toBe("neither");
  });
  it("is the network when the way is long", () => expect(judge({ server_rtt: 0.4 })?.blame).toBe("network"));
  it("is the application when the answer takes long on a quick way", () =>
    expect(judge({ response_time: 2 })?.blame).toBe("application"));
  it("does not blame the application for the length of the way", () =>
    expect(judge({ response_time: 0.35, server_rtt: 0.3 })?.blame).toBe("network"));
  it("is the application when a receiver does not read", () =>
    expect(judge({ zero_windows: 1 })?.blame).toBe("application"));
  it("can be both", () => expect(judge({ response_time: 3, retransmitted: 9 })?.blame).toBe("both"));
  it("is the application that refuses", () => expect(judge({}, { state: "refused" })?.blame).toBe("application"));
  it("is the network when nobody answers", () =>
    expect(judge({}, { reverse_packets: 0, packets: 4 })?.blame).toBe("network"));
  it("is unknown when nothing could be measured", () =>
    expect(
      judge({ server_rtt: null, client_rtt: null, response_time: null }, { packets: 2, reverse_packets: 2 })?.blame,
    ).toBe("unknown"));
  it("is nothing for other protocols", () => expect(verdictOf({ tcp: null } as Flow)).toBeUndefined());
});
