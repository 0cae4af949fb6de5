import { describe, expect, it } from "vitest";
import type { KindDescription, Problem } from "~/api/schema";
import { selectorOf } from "./agents-choice";
import {
  blank,
  draftOf,
  faultsOf,
  fieldOf,
  formOf,
  goalsOf,
  isAgentTarget,
  labelOf,
  longestRun,
  suggestedName,
  withKind,
} from "./form-state";

const kind: KindDescription = {
  kind: "mtr",
  help: "The path",
  target: "host",
  agent_target: false,
  interval: 300,
  least_interval: 10,
  timeout: 2,
  count: 10,
  spacing: 0.25,
  options: [
    { name: "protocol", help: "What is sent", form: "choice", choices: ["icmp", "udp"], default: "icmp" },
    { name: "max_hops", help: "The most hops", form: "whole", min: 1, max: 64, default: 30 },
    { name: "names", help: "Look up names", form: "flag", default: true },
    { name: "servers", help: "Servers", form: "texts" },
    { name: "key", help: "Key", form: "secret" },
    { name: "buffer", help: "Seconds", form: "seconds", min: 0, max: 1, default: 0.04 },
  ],
  metrics: [],
};

describe("a new probe", () => {
  it("shows every default, and sends none of them", () => {
    const form = blank(kind);
    expect(form.numbers.interval).toBe("300");
    expect(form.options).toEqual({
      protocol: "icmp",
      max_hops: "30",
      names: true,
      servers: "",
      key: "",
      buffer: "0.04",
    });
    expect(draftOf({ ...form, target: " 192.0.2.1 " }, kind)).toEqual({ kind: "mtr", target: "192.0.2.1" });
  });
  it("sends what is typed, in the form of each option", () => {
    const form = blank(kind);
    const changed = {
      ...form,
      target: "a.example",
      source: "eth0",
      family: "v6" as const,
      numbers: { ...form.numbers, interval: "60", timeout: "1,5", count: "" },
      options: { ...form.options, names: false, servers: "192.0.2.53\n\n [2001:db8::1]:53 ", max_hops: "12", key: "k" },
    };
    expect(draftOf(changed, kind)).toEqual({
      kind: "mtr",
      target: "a.example",
      interval: 60,
      timeout: 1.5,
      source: "eth0",
      family: "v6",
      options: { names: false, servers: ["192.0.2.53", "[2001:db8::1]:53"], max_hops: 12, key: "k" },
    });
    expect(longestRun(draftOf(changed, kind), kind)).toBe(4);
    const seconds = { name: "seconds", help: "Seconds", form: "seconds", min: 1, max: 60, default: 10 };
    const direction = { name: "direction", help: "Which way", form: "choice", default: "both" };
    const throughput = { ...kind, kind: "throughput" as const, options: [seconds, direction] };
    const drawn = { kind: throughput.kind, target: "a.example" };
    expect(longestRun(drawn, throughput)).toBe(24.5);
    expect(longestRun({ ...drawn, options: { direction: "reverse", seconds: 5 } }, throughput)).toBe(9.5);
  });
  it("keeps target and name when the kind changes, and takes its defaults", () => {
    const other = { ...kind, kind: "ping" as const, interval: 60, options: [] };
    const form = blank(other, { ...blank(kind), target: "a.example", name: "A" });
    expect([form.kind, form.target, form.name, form.numbers.interval]).toEqual(["ping", "a.example", "A", "60"]);
  });
  it("keeps an agent as its target for kinds that take agents, and nothing else for those that take no other", () => {
    const throughput = { ...kind, kind: "throughput" as const, target: "host_port", agent_target: true };
    const agent = { ...kind, kind: "agent" as const, target: "agent", agent_target: true };
    const id = "00000000000000b2";
    const to = (target: string, before: KindDescription, now: KindDescription) =>
      withKind({ ...blank(before), target }, before, now).target;
    expect(to(id, agent, throughput)).toBe(id);
    expect(to(id, throughput, kind)).toBe("");
    expect(to("a.example", kind, throughput)).toBe("a.example");
    expect(to("a.example", throughput, agent)).toBe("");
    expect([isAgentTarget(throughput, id), isAgentTarget(kind, id), isAgentTarget(throughput, "a.example")]).toEqual([
      true,
      false,
      false,
    ]);
  });
  it("has a name that says how and what", () => {
    expect(suggestedName({ kind: "http", target: "https://a.example/" })).toBe("http a.example");
    expect(suggestedName({ kind: "ping", target: " " })).toBe("");
    expect(labelOf("max_hops")).toBe("Max hops");
  });
});

describe("a probe that is changed", () => {
  const spec = {
    kind: "mtr" as const,
    target: "a.example",
    interval: 10,
    timeout: 2,
    count: 10,
    spacing: 0.25,
    family: "any" as const,
    dscp: 46,
    options: { servers: ["x", "y"], names: false },
    labels: { site: "b" },
  };
  const agents = { all: false, ids: ["00000000000000ab"], labels: {} };
  const before = { name: "A", spec, agents, objective: null, quorum: null };
  it("comes back as it was", () => {
    const { spacing, timeout, count, family, ...rest } = spec;
    const form = formOf(before, kind);
    expect(draftOf(form, kind)).toEqual(rest);
    expect(selectorOf(form.agents)).toEqual(agents);
  });
  it("keeps a secret that is not typed, and removes one that shall go", () => {
    const form = formOf(before, kind);
    expect(draftOf(form, kind).options).not.toHaveProperty("key");
    expect(draftOf({ ...form, removed: ["key"] }, kind).options).toHaveProperty("key", "");
  });
});

describe("what is wrong", () => {
  it("is found before it is sent, with the range", () => {
    const form = blank(kind);
    const wrong = {
      ...form,
      numbers: { ...form.numbers, interval: "5", count: "1.5", dscp: "x" },
      options: { ...form.options, max_hops: "65", buffer: "" },
    };
    expect(faultsOf(wrong, kind)).toEqual({
      interval: { min: 10, max: 86_400, whole: false },
      count: { min: 1, max: 10_000, whole: true },
      dscp: { min: 0, max: 63, whole: true },
      "options.max_hops": { min: 1, max: 64, whole: true },
    });
    expect(faultsOf(form, kind)).toEqual({});
  });
  it("stands at the field that the server names", () => {
    const problem = (parameter: string | undefined, detail = "", code = "invalid_parameter") =>
      ({ type: "", title: "", status: 400, code, detail, parameter }) as Problem;
    expect(fieldOf(problem("spec.target"), kind)).toBe("target");
    expect(fieldOf(problem("spec.options.max_hops"), kind)).toBe("options.max_hops");
    expect(fieldOf(problem("spec.options.siez"), kind)).toBeUndefined();
    expect(fieldOf(problem(undefined, "the name is taken", "conflict"), kind)).toBe("name");
    expect(fieldOf(problem(undefined), kind)).toBeUndefined();
  });
});

describe("what a probe should reach", () => {
  it("is typed in per cent and sent as a share", () => {
    const form = { ...blank(kind), objective: "99.9", quorum: "2" };
    expect(goalsOf(form)).toEqual({ objective: 0.999, quorum: 2 });
    expect(goalsOf({ ...form, objective: "99,95", quorum: "" })).toEqual({ objective: 0.9995, quorum: 0 });
    const { spacing, timeout, count, interval } = kind;
    const spec = { kind: "mtr" as const, target: "a", spacing, timeout, count, interval };
    const shown = formOf({ name: "A", spec, agents: {}, objective: 0.999, quorum: 2 }, kind);
    expect([shown.objective, shown.quorum]).toEqual(["99.9", "2"]);
  });
  it("is refused when it cannot be", () => {
    const faults = faultsOf({ ...blank(kind), target: "a", objective: "100", quorum: "1.5" }, kind);
    expect(Object.keys(faults)).toEqual(["objective", "quorum"]);
  });
});
