import { expect, it } from "vitest";
import type { Agent } from "~/api/schema";
import { arrivedAgent, waitingFor } from "./arrival";

const agent = (second: string, change: Partial<Agent> = {}) =>
  ({
    id: second,
    name: second,
    origin: "enrolled",
    state: "online",
    created: `2026-11-21T10:00:${second}Z`,
    ...change,
  }) as Agent;

it("finds the newest agent that enrolled since the token was made", () => {
  const all = [agent("01"), agent("02"), agent("03"), agent("04", { origin: "local" })];
  expect(arrivedAgent(all, { created: "2026-11-21T10:00:02Z" })?.id).toBe("03");
  expect(arrivedAgent(all, { created: "2026-11-21T10:00:03.5Z" })).toBeUndefined();
});

it("takes only the one that is called as the token says", () => {
  const all = [agent("02", { name: "rome" }), agent("03", { name: "paris" })];
  expect(arrivedAgent(all, { created: "2026-11-21T10:00:01Z", name: "rome" })?.id).toBe("02");
  expect(arrivedAgent(all, { created: "2026-11-21T10:00:01Z", name: "berlin" })).toBeUndefined();
});

it("waits until the agent is online, or the token has ended", () => {
  expect(waitingFor(undefined, 1000, 999)).toBe("waiting");
  expect(waitingFor(undefined, 1000, 1000)).toBe("ended");
  expect(waitingFor(agent("01", { state: "never" }), 1000, 2000)).toBe("enrolled");
  expect(waitingFor(agent("01"), 1000, 2000)).toBe("here");
});
