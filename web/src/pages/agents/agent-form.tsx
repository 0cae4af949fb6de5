/** Changing an agent: what it is called, how it is chosen, where it stands, and whether it may work. */
import { useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { changeAgent } from "~/api/agents";
import type { Agent } from "~/api/schema";
import type { Tagged } from "~/api/tagged";
import { useT } from "~/i18n";
import { useMay } from "~/session/session";
import { errorOf, TextField } from "~/ui/form";
import { FormDialog } from "~/ui/form-dialog";
import { ManagedNote } from "~/ui/managed-by";
import { type AgentDraft, draftOf, faultOf, patchOf } from "./agent-draft";
import styles from "./agents.module.css";
import { LabelsField } from "./labels-field";

const fields = ["name", "group", "labels", "location"];

export function AgentForm({ current: { value, tag }, onClose }: { current: Tagged<Agent>; onClose: () => void }) {
  const t = useT();
  const may = useMay();
  const client = useQueryClient();
  const [draft, setDraft] = useState(() => draftOf(value));
  const set = (change: Partial<AgentDraft>) => setDraft({ ...draft, ...change });
  const fault = faultOf(draft);
  const owned = value.managed_by != null;
  return (
    <FormDialog
      title={t("agents.editTitle", { name: value.name })}
      submit={t("action.save")}
      disabled={draft.name.trim() === "" || fault !== undefined}
      fields={fields}
      onClose={onClose}
      onSubmit={async () => {
        await changeAgent(value.id, tag, patchOf(draft, value));
        await client.invalidateQueries({ queryKey: ["agents"] });
      }}
    >
      {(error) => (
        <>
          <ManagedNote file={value.managed_by} />
          <TextField
            label={t("list.name")}
            first={!owned}
            required
            disabled={owned}
            maxLength={100}
            value={draft.name}
            error={errorOf(error, "name")}
            onChange={(name) => set({ name })}
          />
          <TextField
            label={t("agents.group")}
            hint={t("agents.groupHint")}
            disabled={owned}
            maxLength={100}
            value={draft.group}
            error={errorOf(error, "group")}
            onChange={(group) => set({ group })}
          />
          <LabelsField
            label={t("agents.labels")}
            disabled={owned}
            value={draft.labels}
            error={errorOf(error, "labels")}
            onChange={(labels) => set({ labels })}
          />
          <Place
            draft={draft}
            set={set}
            fault={fault === "place"}
            error={errorOf(error, "location")}
            disabled={owned}
          />
          <Check
            label={t("agents.enabled")}
            hint={t("agents.enabledHint")}
            on={draft.enabled}
            set={(enabled) => set({ enabled })}
          />
          {may("site.workspaces") && (
            <Check
              label={t("agents.global")}
              hint={t("agents.globalHint")}
              on={draft.global}
              set={(global) => set({ global })}
            />
          )}
        </>
      )}
    </FormDialog>
  );
}

type PlaceProps = {
  draft: AgentDraft;
  set: (change: Partial<AgentDraft>) => void;
  fault: boolean;
  error: string | undefined;
  disabled: boolean;
};

function Place({ draft, set, fault, error, disabled }: PlaceProps) {
  const t = useT();
  return (
    <>
      <TextField
        label={t("agents.location")}
        hint={t("agents.locationHint")}
        disabled={disabled}
        maxLength={100}
        value={draft.place}
        error={error}
        onChange={(place) => set({ place })}
      />
      <div className={styles.pair}>
        {(["latitude", "longitude"] as const).map((name) => (
          <TextField
            key={name}
            label={t(`agents.${name}`)}
            inputMode="decimal"
            disabled={disabled}
            value={draft[name]}
            error={fault ? t("agents.placeWrong") : undefined}
            onChange={(text) => set({ [name]: text })}
          />
        ))}
      </div>
    </>
  );
}

function Check({ label, hint, on, set }: { label: string; hint: string; on: boolean; set: (on: boolean) => void }) {
  return (
    <label className={styles.check}>
      <input type="checkbox" checked={on} onChange={(event) => set(event.target.checked)} />
      <span>
        {label} <small>{hint}</small>
      </span>
    </label>
  );
}
