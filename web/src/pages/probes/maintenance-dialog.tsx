/** Makes a window of maintenance, or changes one. */
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { changeWindow, createWindow, windowQuery } from "~/api/maintenance";
import { probesQuery } from "~/api/probes";
import type { Maintenance } from "~/api/schema";
import { useT } from "~/i18n";
import { useZone } from "~/prefs/use-zone";
import { serverNow } from "~/time/clock";
import { errorOf, Field, SelectField, TextField } from "~/ui/form";
import formStyles from "~/ui/form.module.css";
import { FormDialog } from "~/ui/form-dialog";
import { blankWindow, days, type WindowForm, windowBody, windowFaults, windowForm } from "./maintenance-form";
import styles from "./uptime.module.css";

type MaintenanceDialogProps = { window?: Maintenance; onClose: () => void };

export function MaintenanceDialog({ window, onClose }: MaintenanceDialogProps) {
  const t = useT();
  const client = useQueryClient();
  const zone = useZone();
  const zoneName = zone ?? Intl.DateTimeFormat().resolvedOptions().timeZone ?? "UTC";
  const { data: current } = useQuery({ ...windowQuery(window?.id ?? ""), enabled: window !== undefined });
  const [form, setForm] = useState<WindowForm>(() =>
    window === undefined ? blankWindow(serverNow(), zone, zoneName) : windowForm(window, serverNow(), zone, zoneName),
  );
  const set = (change: Partial<WindowForm>) => setForm({ ...form, ...change });
  const faults = windowFaults(form, zone);
  const save = async () => {
    const body = windowBody(form, zone);
    if (window === undefined) await createWindow(body);
    else if (current !== undefined) await changeWindow(window.id, current.tag, body);
    await client.invalidateQueries({ queryKey: ["maintenance"] });
    await client.invalidateQueries({ queryKey: ["probes"] });
  };
  return (
    <FormDialog
      title={window === undefined ? t("maintenance.new") : t("maintenance.editTitle", { name: window.name })}
      submit={t(window === undefined ? "maintenance.create" : "action.save")}
      disabled={form.name.trim() === "" || faults.size > 0 || (window !== undefined && current === undefined)}
      fields={["name"]}
      onSubmit={save}
      onClose={onClose}
    >
      {(error) => (
        <>
          <TextField
            label={t("list.name")}
            first
            required
            maxLength={100}
            value={form.name}
            error={errorOf(error, "name")}
            onChange={(name) => set({ name })}
          />
          <SelectField
            label={t("maintenance.repeat")}
            value={form.repeat}
            options={[
              { value: "once", label: t("maintenance.once") },
              { value: "weekly", label: t("maintenance.again") },
            ]}
            onChange={(repeat) => set({ repeat: repeat === "weekly" ? "weekly" : "once" })}
          />
          {form.repeat === "once" ? (
            <Once form={form} wrong={faults.has("schedule.end")} set={set} />
          ) : (
            <Again form={form} faults={faults} set={set} />
          )}
          <Which form={form} faults={faults} set={set} />
        </>
      )}
    </FormDialog>
  );
}

type PartProps = { form: WindowForm; set: (change: Partial<WindowForm>) => void };

function Once({ form, wrong, set }: PartProps & { wrong: boolean }) {
  const t = useT();
  return (
    <>
      <TextField
        label={t("maintenance.start")}
        type="datetime-local"
        value={form.start}
        onChange={(start) => set({ start })}
      />
      <TextField
        label={t("maintenance.end")}
        type="datetime-local"
        value={form.end}
        error={wrong ? t("maintenance.endLater") : undefined}
        onChange={(end) => set({ end })}
      />
    </>
  );
}

function Again({ form, faults, set }: PartProps & { faults: ReadonlySet<string> }) {
  const t = useT();
  return (
    <>
      <fieldset className={styles.days}>
        <legend>{t("maintenance.days")}</legend>
        {days.map((day) => (
          <label key={day}>
            <input
              type="checkbox"
              checked={form.days.includes(day)}
              onChange={({ target }) =>
                set({ days: target.checked ? [...form.days, day] : form.days.filter((one) => one !== day) })
              }
            />
            {t(`maintenance.day.${day}`)}
          </label>
        ))}
      </fieldset>
      <TextField
        label={t("maintenance.time")}
        hint={t("maintenance.timeHint", { zone: form.zone })}
        type="time"
        value={form.time}
        error={faults.has("schedule.time") ? t("maintenance.timeWrong") : undefined}
        onChange={(time) => set({ time })}
      />
      <TextField
        label={t("maintenance.minutes")}
        inputMode="numeric"
        value={form.minutes}
        error={faults.has("schedule.duration") ? t("probes.mustBe", { min: "1", max: "10080" }) : undefined}
        onChange={(minutes) => set({ minutes })}
      />
    </>
  );
}

/** Probes that are offered. */
const mostOffered = 500;

function Which({ form, faults, set }: PartProps & { faults: ReadonlySet<string> }) {
  const t = useT();
  const { data } = useQuery(probesQuery({ limit: mostOffered }));
  const offered = new Set(data?.items.map(({ id }) => id));
  // Those that are not offered stay chosen.
  const choose = (chosen: readonly string[]) =>
    set({ probes: [...form.probes.filter((id) => !offered.has(id)), ...chosen] });
  return (
    <>
      <SelectField
        label={t("maintenance.which")}
        value={form.all ? "all" : "some"}
        options={[
          { value: "some", label: t("maintenance.some") },
          { value: "all", label: t("maintenance.allProbes") },
        ]}
        onChange={(which) => set({ all: which === "all" })}
      />
      {!form.all && (
        <>
          <Field
            label={t("maintenance.chosen")}
            hint={t(faults.has("selection") ? "maintenance.choose" : "maintenance.chosenHint")}
          >
            {(ids) => (
              <select
                {...ids}
                multiple
                size={5}
                className={`${formStyles.input} ${styles.probes}`}
                value={[...form.probes]}
                onChange={({ target }) => choose([...target.selectedOptions].map(({ value }) => value))}
              >
                {(data?.items ?? []).map(({ id, name }) => (
                  <option key={id} value={id}>
                    {name}
                  </option>
                ))}
              </select>
            )}
          </Field>
          <Field
            label={t("maintenance.labels")}
            hint={t("maintenance.labelsHint")}
            error={faults.has("selection.labels") ? t("maintenance.labelsWrong") : undefined}
          >
            {(ids) => (
              <textarea
                {...ids}
                rows={2}
                className={`${formStyles.input} mono ${styles.probes}`}
                spellCheck={false}
                value={form.labels}
                onChange={({ target }) => set({ labels: target.value })}
              />
            )}
          </Field>
        </>
      )}
    </>
  );
}
