/** The form of a probe. Kinds, options, units and ranges come from the server, so that a new kind needs nothing here. */
import { useMutation, useQuery } from "@tanstack/react-query";
import type { FormEvent, ReactNode } from "react";
import { useState } from "react";
import { allAgentsQuery } from "~/api/agents";
import { runProbeFrom } from "~/api/probes";
import { RequestError } from "~/api/problem";
import type { KindDescription } from "~/api/schema";
import { useT } from "~/i18n";
import { useFormat } from "~/prefs/use-format";
import { useMay } from "~/session/session";
import { Button } from "~/ui/controls";
import { FormProblem, SelectField, TextField } from "~/ui/form";
import { Section } from "~/ui/page";
import { choiceFault, runnersOf } from "./agents-choice";
import { AgentsField } from "./agents-field";
import {
  draftOf,
  type FieldFault,
  families,
  faultsOf,
  fieldOf,
  goalRanges,
  type NumberField,
  type ProbeForm,
  rangeOf,
  suggestedName,
  withKind,
} from "./form-state";
import { OptionField } from "./option-field";
import styles from "./probes.module.css";
import { RunOutcome } from "./run-outcome";
import { TargetField } from "./target-field";
import { useTargetName } from "./use-target-name";

type ProbeFormProps = {
  /** The saved probe whose secrets a trial may use. */
  probe?: string;
  initial: ProbeForm;
  kinds: readonly KindDescription[];
  /** Secret options that are set already. */
  secrets: readonly string[];
  title: string;
  submit: string;
  /** With the name that is suggested when none is typed. */
  onSubmit: (form: ProbeForm, kind: KindDescription) => Promise<unknown>;
  cancel: ReactNode;
};

export function ProbeFormFields({ probe, initial, kinds, secrets, title, submit, onSubmit, cancel }: ProbeFormProps) {
  const t = useT();
  const may = useMay();
  const [form, setForm] = useState(initial);
  const [tried, setTried] = useState(false);
  const kind = kinds.find((one) => one.kind === form.kind);
  const targetOf = useTargetName();
  const suggested = suggestedName({ kind: form.kind, target: targetOf(form) });
  const save = useMutation({
    mutationFn: (of: KindDescription) => onSubmit({ ...form, name: form.name.trim() || suggested }, of),
  });
  const { data: agents } = useQuery({ ...allAgentsQuery, enabled: may("agents.read") });
  const run = useMutation({
    mutationFn: (of: KindDescription) =>
      runProbeFrom(draftOf(form, of), runnersOf(form.agents, agents?.items ?? [], form.target), probe),
  });
  if (kind === undefined) return null;
  const faults = faultsOf(form, kind);
  const isFaulty = Object.keys(faults).length > 0 || choiceFault(form.agents) !== undefined;
  const ran = run.data?.find(({ error }) => error !== undefined);
  const failed = save.error ?? (ran?.error as Error | undefined) ?? null;
  const problem = failed instanceof RequestError ? failed.problem : undefined;
  const refused = fieldOf(problem, kind);
  const set = (change: Partial<ProbeForm>) => {
    setForm({ ...form, ...change });
    if (failed !== null) {
      save.reset();
      run.reset();
    }
  };
  const begin = (act: () => void) => {
    setTried(true);
    if (!isFaulty) act();
  };
  const send = (event: FormEvent) => {
    event.preventDefault();
    begin(() => save.mutate(kind));
  };
  const errors: Errors = {
    of: (field) => (refused === field ? problem?.detail : undefined),
    fault: (field) => (tried ? faults[field] : undefined),
  };
  const shownAt = refused !== undefined && isShown(refused, kind);
  return (
    <form className={styles.form} onSubmit={send} noValidate>
      <div className={styles.formFields}>
        <What form={form} kinds={kinds} kind={kind} suggested={suggested} errors={errors} set={set} />
        <When form={form} kind={kind} errors={errors} set={set} />
        <AgentsField
          value={form.agents}
          tried={tried}
          error={errors.of("agents")}
          onChange={(agents) => set({ agents })}
        />
        <Goals form={form} kind={kind} errors={errors} set={set} />
        {kind.options.length > 0 && <Options form={form} kind={kind} secrets={secrets} errors={errors} set={set} />}
        {!shownAt && <FormProblem error={save.error} subject={title} />}
        <div className={styles.formFoot}>
          {cancel}
          {may("probes.run") && (
            <Button
              icon="play"
              disabled={run.isPending || form.target.trim() === ""}
              onClick={() => begin(() => run.mutate(kind))}
            >
              {t("probes.runNow")}
            </Button>
          )}
          <Button type="submit" look="primary" disabled={save.isPending || form.target.trim() === ""}>
            {submit}
          </Button>
        </div>
      </div>
      {may("probes.run") && (
        <RunOutcome runs={run.data} pending={run.isPending} draft={draftOf(form, kind)} kind={kind} />
      )}
    </form>
  );
}

type Errors = {
  /** What the server says of a field. */
  of: (field: string) => string | undefined;
  /** What is wrong with a number. */
  fault: (field: string) => FieldFault | undefined;
};
type PartProps = { form: ProbeForm; kind: KindDescription; errors: Errors; set: (change: Partial<ProbeForm>) => void };

type WhatProps = PartProps & { kinds: readonly KindDescription[]; suggested: string };

function What({ form, kinds, kind, suggested, errors, set }: WhatProps) {
  const t = useT();
  return (
    <Section title={t("probes.what")}>
      <div className={styles.fields}>
        <SelectField
          label={t("probes.kind")}
          hint={<span lang="en">{kind.help}</span>}
          value={form.kind}
          error={errors.of("kind")}
          options={kinds.map((one) => ({ value: one.kind, label: one.kind }))}
          onChange={(next) => {
            const chosen = kinds.find((one) => one.kind === next);
            if (chosen !== undefined) set(withKind(form, kind, chosen));
          }}
        />
        <TargetField
          key={kind.kind}
          kind={kind}
          value={form.target}
          error={errors.of("target")}
          onChange={(target) => set({ target })}
        />
        <TextField
          label={t("list.name")}
          hint={suggested === "" ? undefined : t("probes.nameHint", { name: suggested })}
          placeholder={suggested}
          maxLength={100}
          value={form.name}
          error={errors.of("name")}
          onChange={(name) => set({ name })}
        />
      </div>
    </Section>
  );
}

function When({ form, kind, errors, set }: PartProps) {
  const t = useT();
  const number = (field: NumberField, label: string, unit?: string) => (
    <NumberInput
      key={field}
      label={unit === undefined ? label : `${label}, ${unit}`}
      range={rangeOf(field, kind)}
      value={form.numbers[field]}
      error={errors.of(field)}
      fault={errors.fault(field)}
      onChange={(text) => set({ numbers: { ...form.numbers, [field]: text } })}
    />
  );
  return (
    <Section title={t("probes.how")}>
      <div className={styles.fieldGrid}>
        {number("interval", t("probes.interval"), "s")}
        {number("timeout", t("probes.timeout"), "s")}
        {number("count", t("probes.count"))}
        {number("spacing", t("probes.spacing"), "s")}
        <TextField
          label={t("probes.source")}
          hint={t("probes.sourceHint")}
          mono
          maxLength={64}
          value={form.source}
          error={errors.of("source")}
          onChange={(source) => set({ source })}
        />
        <SelectField
          label={t("probes.family")}
          value={form.family}
          error={errors.of("family")}
          options={families.map((value) => ({ value, label: t(`probes.family.${value}`) }))}
          onChange={(next) => set({ family: families.find((one) => one === next) ?? "any" })}
        />
        {number("dscp", t("probes.dscp"))}
      </div>
    </Section>
  );
}

/** What it should reach, and when it counts as down. */
function Goals({ form, errors, set }: PartProps) {
  const t = useT();
  const labels = { objective: `${t("uptime.objective")}, %`, quorum: t("probes.quorum") } as const;
  return (
    <Section title={t("probes.goals")} hint={t("probes.goalsHint")}>
      <div className={styles.fieldGrid}>
        {(["objective", "quorum"] as const).map((goal) => (
          <NumberInput
            key={goal}
            label={labels[goal]}
            range={goalRanges[goal]}
            value={form[goal]}
            error={errors.of(goal)}
            fault={errors.fault(goal)}
            onChange={(text) => set({ [goal]: text })}
          />
        ))}
      </div>
    </Section>
  );
}

type NumberInputProps = {
  label: string;
  range: FieldFault;
  value: string;
  error: string | undefined;
  fault: FieldFault | undefined;
  onChange: (text: string) => void;
};

function NumberInput({ label, range, value, error, fault, onChange }: NumberInputProps) {
  const fitting = useFaultText();
  const t = useT();
  const format = useFormat();
  return (
    <TextField
      label={label}
      hint={t("probes.range", { min: format.plain(range.min), max: format.plain(range.max) })}
      inputMode={range.whole ? "numeric" : "decimal"}
      value={value}
      error={error ?? (fault && fitting(fault))}
      onChange={onChange}
    />
  );
}

function useFaultText(): (fault: FieldFault) => string {
  const t = useT();
  const format = useFormat();
  return ({ min, max, whole }) =>
    t(whole ? "probes.mustBeWhole" : "probes.mustBe", { min: format.plain(min), max: format.plain(max) });
}

function Options({ form, kind, secrets, errors, set }: PartProps & { secrets: readonly string[] }) {
  const t = useT();
  const fitting = useFaultText();
  return (
    <Section title={t("probes.options", { kind: kind.kind })}>
      <div className={styles.fields}>
        {kind.options.map((option) => {
          const { name } = option;
          const fault = errors.fault(`options.${name}`);
          const removed = form.removed.includes(name);
          const onRemove = (remove: boolean) =>
            set({ removed: remove ? [...form.removed, name] : form.removed.filter((one) => one !== name) });
          return (
            <OptionField
              key={`${kind.kind} ${name}`}
              option={option}
              value={form.options[name] ?? ""}
              error={errors.of(`options.${name}`) ?? (fault && fitting(fault))}
              kept={secrets.includes(name) ? { removed, onRemove } : undefined}
              onChange={(value) => set({ options: { ...form.options, [name]: value } })}
            />
          );
        })}
      </div>
    </Section>
  );
}

/** Whether a field of this name is in the form, so that what is said of it is seen. */
function isShown(field: string, kind: KindDescription): boolean {
  const own = [
    "name",
    "kind",
    "target",
    "source",
    "family",
    "interval",
    "timeout",
    "count",
    "spacing",
    "dscp",
    "agents",
    "objective",
    "quorum",
  ];
  return own.includes(field) || kind.options.some(({ name }) => field === `options.${name}`);
}
