import { expect, it } from "vitest";
import type { Agent } from "~/api/schema";
import { ownAgent } from "~/lib/agents";
import {
  changedAgents,
  choiceFault,
  choiceOf,
  chosenOf,
  mostRuns,
  ownChoice,
  runnersOf,
  selectorOf,
} from "./agents-choice";

const agent = (id: string, site: string, state = "online") => ({ id, labels: { site }, state }) as unknown as Agent;
const known = [agent(ownAgent, "here"), agent("a", "berlin"), agent("b", "paris"), agent("c", "berlin", "offline")];
const ids = (agents: readonly Agent[]) => agents.map(({ id }) => id);

it.each([
  [{ all: false, ids: [], labels: {} }, "own", [ownAgent]],
  [{ all: true, ids: [], labels: {} }, "all", [ownAgent, "a", "b", "c"]],
  [{ all: false, ids: ["b"], labels: {} }, "chosen", ["b"]],
  [{ all: false, ids: [], labels: { site: "berlin" } }, "labels", ["a", "c"]],
  [{ all: false, ids: ["b"], labels: { site: "berlin" } }, "chosen", ["a", "b", "c"]],
] as const)("keeps %j as %s", (selector, mode, expected) => {
  const choice = choiceOf({ ...selector, ids: [...selector.ids] });
  expect([choice.mode, selectorOf(choice)]).toEqual([mode, selector]);
  expect(ids(chosenOf(choice, known))).toEqual(expected);
});

it("takes what nobody says as the server's own", () => expect(choiceOf({})).toEqual(ownChoice));

it("is sent only when it says something else than before", () => {
  const all = choiceOf({ all: true });
  expect(changedAgents(ownChoice, ownChoice)).toEqual({});
  expect(changedAgents({ ...ownChoice, ids: ["a"], labels: "x=y" }, ownChoice)).toEqual({});
  expect(changedAgents(all, ownChoice)).toEqual({ agents: { all: true, ids: [], labels: {} } });
  expect(changedAgents(ownChoice, all)).toEqual({ agents: { all: false, ids: [], labels: {} } });
});

it("refuses what chooses nobody, and words that are no labels", () => {
  expect(choiceFault({ mode: "chosen", ids: [], labels: "" })).toBe("nobody");
  expect(choiceFault({ mode: "labels", ids: ["a"], labels: "" })).toBe("nobody");
  expect(choiceFault({ mode: "labels", ids: [], labels: "berlin" })).toBe("labels");
  expect(choiceFault({ mode: "chosen", ids: ["a"], labels: "" })).toBeUndefined();
  expect(choiceFault({ mode: "own", ids: [], labels: "berlin" })).toBeUndefined();
});

it("runs on demand from those that are there, at most some, else from the server", () => {
  expect(runnersOf(choiceOf({ labels: { site: "berlin" } }), known)).toEqual(["a"]);
  expect(runnersOf(choiceOf({ ids: ["c"] }), known)).toEqual([ownAgent]);
  expect(runnersOf({ ...ownChoice, mode: "all" }, known, "a")).toEqual([ownAgent, "b"]);
  const many = Array.from({ length: 30 }, (_, i) => agent(`${i}`, "x"));
  expect(runnersOf({ ...ownChoice, mode: "all" }, many)).toHaveLength(mostRuns);
});
