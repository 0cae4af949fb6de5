/**
 * The form of a probe, made from the descriptions of the kinds: what is typed, what is wrong with it, and what is sent. Pure.
 *
 * Everything is text until it is sent. What says the default is left out, so that a later default is taken over.
 */
import type { KindDescription, OptionDescription, Probe, ProbeDraft, ProbeOptionValue, Problem } from "~/api/schema";
import { agentIn } from "~/lib/agents";
import { type AgentsChoice, choiceOf, ownChoice } from "./agents-choice";

export const families = ["any", "v4", "v6"] as const;
const numberFields = ["interval", "timeout", "count", "spacing", "dscp"] as const;
export type NumberField = (typeof numberFields)[number];
export type OptionText = string | boolean;

export type ProbeForm = {
  /** Empty: the suggested one. */
  name: string;
  kind: KindDescription["kind"];
  target: string;
  numbers: Record<NumberField, string>;
  /** Which agents run it. */
  agents: AgentsChoice;
  source: string;
  family: (typeof families)[number];
  /** By name: on or off, or the text; lists have a value on each line. */
  options: Record<string, OptionText>;
  /** Secret options that are set and shall be removed. */
  removed: readonly string[];
  /** Kept as they are. */
  labels: Record<string, string>;
  /** Per cent of the time in which it should be up, and how many agents must say that it is down; empty: none, and most of them. */
  objective: string;
  quorum: string;
};

/** The least and the greatest that an objective and a quorum may be. */
export const goalRanges: Readonly<Record<"objective" | "quorum", FieldFault>> = {
  objective: { min: 0.001, max: 99.9999, whole: false },
  quorum: { min: 1, max: 1000, whole: true },
};

/** What is wrong with a field before anything is sent: the range, for a text about it. */
export type FieldFault = { min: number; max: number; whole: boolean };

/** The form of a new probe of a kind; what does not depend on the kind is kept. */
export function blank(kind: KindDescription, before?: ProbeForm): ProbeForm {
  const { interval, timeout, count, spacing } = kind;
  return {
    name: before?.name ?? "",
    kind: kind.kind,
    target: before?.target ?? "",
    numbers: {
      interval: String(interval),
      timeout: String(timeout),
      count: String(count),
      spacing: String(spacing),
      dscp: before?.numbers.dscp ?? "0",
    },
    agents: before?.agents ?? ownChoice,
    source: before?.source ?? "",
    family: before?.family ?? "any",
    options: Object.fromEntries(kind.options.map((option) => [option.name, shown(option, option.default)])),
    removed: [],
    labels: before?.labels ?? {},
    objective: before?.objective ?? "",
    quorum: before?.quorum ?? "",
  };
}

/** The form of a probe that is there. */
export function formOf(
  probe: Pick<Probe, "name" | "spec" | "agents" | "objective" | "quorum">,
  kind: KindDescription,
): ProbeForm {
  const { name, spec, agents, objective, quorum } = probe;
  const empty = blank(kind);
  const { interval, timeout, count, spacing, dscp = 0 } = spec;
  const options = kind.options.map((option) => [option.name, shown(option, spec.options?.[option.name])] as const);
  return {
    ...empty,
    name,
    target: spec.target,
    numbers: mapped({ interval, timeout, count, spacing, dscp }),
    agents: choiceOf(agents),
    source: spec.source ?? "",
    family: spec.family ?? "any",
    options: Object.fromEntries(options.map(([key, value]) => [key, value ?? empty.options[key] ?? ""])),
    labels: spec.labels ?? {},
    // Whole millionths of a per cent: 0.999 * 100 is not 99.9.
    objective: objective == null ? "" : String(Math.round(objective * 1e8) / 1e6),
    quorum: quorum == null ? "" : String(quorum),
  };
}

/** Objective and quorum as they are sent; zero is none. */
export function goalsOf(form: ProbeForm): { objective: number; quorum: number } {
  const objective = numberOf(form.objective) ?? 0;
  return { objective: Math.round(objective * 1e6) / 1e8, quorum: numberOf(form.quorum) ?? 0 };
}

/** What is sent. Call it when `faultsOf` finds nothing. */
export function draftOf(form: ProbeForm, kind: KindDescription): ProbeDraft {
  const source = form.source.trim();
  const options = kind.options.flatMap((option): [string, ProbeOptionValue][] => {
    if (form.removed.includes(option.name)) return [[option.name, ""]];
    const value = said(option, form.options[option.name] ?? "");
    return value === undefined || value === option.default ? [] : [[option.name, value]];
  });
  const numbers = numberFields.flatMap((field): [NumberField, number][] => {
    const value = numberOf(form.numbers[field]);
    return value === undefined || value === defaultOf(field, kind) ? [] : [[field, value]];
  });
  return {
    kind: form.kind,
    target: form.target.trim(),
    ...Object.fromEntries(numbers),
    ...(source !== "" && { source }),
    ...(form.family !== "any" && { family: form.family }),
    ...(options.length > 0 && { options: Object.fromEntries(options) }),
    ...(Object.keys(form.labels).length > 0 && { labels: form.labels }),
  };
}

/** Numbers that are none or out of their range, by the name of the field; options as `options.NAME`. Empty means the default. */
export function faultsOf(form: ProbeForm, kind: KindDescription): Record<string, FieldFault> {
  const faults: Record<string, FieldFault> = {};
  for (const field of numberFields) {
    const range = rangeOf(field, kind);
    if (!fits(form.numbers[field], range)) faults[field] = range;
  }
  for (const option of kind.options) {
    if (option.form !== "whole" && option.form !== "seconds") continue;
    const range = { min: option.min ?? 0, max: option.max ?? Number.MAX_SAFE_INTEGER, whole: option.form === "whole" };
    if (!fits(String(form.options[option.name] ?? ""), range)) faults[`options.${option.name}`] = range;
  }
  for (const goal of ["objective", "quorum"] as const) {
    if (!fits(form[goal], goalRanges[goal])) faults[goal] = goalRanges[goal];
  }
  return faults;
}

/** The field that a problem of the server belongs to, as `faultsOf` names them; `undefined` for the form as a whole. */
export function fieldOf(problem: Problem | undefined, kind: KindDescription | undefined): string | undefined {
  if (problem === undefined) return undefined;
  if (problem.code === "conflict") return "name";
  const field = problem.parameter?.replace(/^spec\./, "");
  const option = field?.startsWith("options.") ? field.slice("options.".length) : undefined;
  if (option === undefined) return field ?? undefined;
  // An option that the form has no field for is told above the form.
  return kind?.options.some(({ name }) => name === option) ? field : undefined;
}

/** Whether a target is an agent where the kind takes one. */
export function isAgentTarget(kind: KindDescription, target: string): boolean {
  return kind.agent_target && agentIn(kind.kind, target) !== undefined;
}

/** The form with another kind; a target that the kind does not take is not kept. */
export function withKind(form: ProbeForm, before: KindDescription, now: KindDescription): ProbeForm {
  const fits = isAgentTarget(before, form.target) ? now.agent_target : now.target !== "agent";
  return blank(now, fits ? form : { ...form, target: "" });
}

/** A name for a probe that has none: how and what, agents by their names. */
export function suggestedName(form: Pick<ProbeForm, "kind" | "target">): string {
  const target = form.target
    .trim()
    .replace(/^https?:\/\//, "")
    .replace(/[/?#]+$/, "");
  return target === "" ? "" : `${form.kind} ${target}`.slice(0, 100);
}

/** A name of the API as a label: `max_hops` is "Max hops". */
export function labelOf(name: string): string {
  const words = name.replaceAll("_", " ");
  return words.charAt(0).toUpperCase() + words.slice(1);
}

/** Seconds that pings of another agent take after the check of its addresses: the longest of what follows it. */
const afterCheck = 23;

/** Seconds that a run takes at most. */
export function longestRun(draft: ProbeDraft, kind: KindDescription): number {
  const base = (draft.count ?? kind.count) * (draft.spacing ?? kind.spacing) + (draft.timeout ?? kind.timeout);
  if (kind.kind === "agent") return base + afterCheck;
  if (kind.kind !== "throughput") return base;
  const of = (name: string) => draft.options?.[name] ?? kind.options.find((option) => option.name === name)?.default;
  return base + Number(of("seconds") ?? 0) * (of("direction") === "both" ? 2 : 1);
}

export function rangeOf(field: NumberField, kind: KindDescription): FieldFault {
  switch (field) {
    case "interval":
      return { min: kind.least_interval, max: 86_400, whole: false };
    case "timeout":
      return { min: 0.001, max: 300, whole: false };
    case "count":
      return { min: 1, max: 10_000, whole: true };
    case "spacing":
      return { min: 0, max: 60, whole: false };
    case "dscp":
      return { min: 0, max: 63, whole: true };
  }
}

function defaultOf(field: NumberField, kind: KindDescription): number {
  return field === "dscp" ? 0 : kind[field];
}

function shown(option: OptionDescription, value: ProbeOptionValue | null | undefined): OptionText {
  if (option.form === "flag") return value === undefined || value === null ? option.default === true : value === true;
  if (Array.isArray(value)) return value.join("\n");
  const chosen = value ?? option.default;
  return chosen === undefined || chosen === null ? "" : String(chosen);
}

function said(option: OptionDescription, text: OptionText): ProbeOptionValue | undefined {
  if (typeof text === "boolean") return text;
  switch (option.form) {
    case "whole":
    case "seconds":
      return numberOf(text);
    case "texts": {
      const lines = text
        .split("\n")
        .map((line) => line.trim())
        .filter(Boolean);
      return lines.length === 0 ? undefined : lines;
    }
    default:
      return text === "" ? undefined : text;
  }
}

/** A number as people of either language type it. */
function numberOf(text: string): number | undefined {
  const trimmed = text.trim().replace(",", ".");
  const value = Number(trimmed);
  return trimmed === "" || !Number.isFinite(value) ? undefined : value;
}

function fits(text: string, { min, max, whole }: FieldFault): boolean {
  if (text.trim() === "") return true;
  const value = numberOf(text);
  return value !== undefined && value >= min && value <= max && (!whole || Number.isInteger(value));
}

function mapped(numbers: Record<NumberField, number>): Record<NumberField, string> {
  return Object.fromEntries(numberFields.map((field) => [field, String(numbers[field])])) as Record<
    NumberField,
    string
  >;
}
