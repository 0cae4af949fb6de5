import { describe, expect, it } from "vitest";
import { agentIn } from "./agents";

describe("an agent in a target", () => {
  const id = "00000000000000b2";
  it("is known by its id where a kind takes agents, and as the host of what is measured of it", () => {
    expect(agentIn("agent", id)).toBe(id);
    expect(agentIn("throughput", id)).toBe(id);
    expect(agentIn("ping", id)).toBeUndefined();
    expect(agentIn("ping", `${id}.netwatch.internal`)).toBe(id);
    expect(agentIn("simulation", `${id}.netwatch.internal:8862`)).toBe(id);
    expect(agentIn("throughput", "iperf.example:5201")).toBeUndefined();
    expect(agentIn("ping", `x${id}.netwatch.internal`)).toBeUndefined();
  });
});
