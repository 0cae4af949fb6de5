import { expect, it } from "vitest";
import { RequestError } from "~/api/problem";
import { faultAt, linesOf, networksOf } from "./network-lines";

it("reads one network on each line, and what people paste", () => {
  expect(networksOf(" 192.0.2.0/24 \n\n2001:db8::/32,10.0.0.0/8; 10.1.0.1 ")).toEqual([
    "192.0.2.0/24",
    "2001:db8::/32",
    "10.0.0.0/8",
    "10.1.0.1",
  ]);
  expect(networksOf(" \n")).toEqual([]);
  expect(networksOf(linesOf(["192.0.2.0/24", "::/0"]))).toEqual(["192.0.2.0/24", "::/0"]);
});

it("shows a fault at the list that has it", () => {
  const problem = { type: "", title: "", status: 400, code: "invalid_parameter", detail: "no network" } as const;
  const at = (parameter: string) => new RequestError({ ...problem, parameter });
  expect(faultAt(at("deny[1]"), "deny")).toEqual({ parameter: "deny[1]", detail: "no network" });
  expect(faultAt(at("deny[1]"), "only")).toBeUndefined();
  expect(faultAt(at("only"), "only")?.detail).toBe("no network");
  expect(faultAt(at("If-Match"), "only")).toBeUndefined();
  expect(faultAt(new Error("gone"), "only")).toBeUndefined();
});
