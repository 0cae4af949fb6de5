/** Changes how much is kept. What the configuration says is shown with its place, and changed there. */
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import type { StorageRetention } from "~/api/schema";
import { putRetention, retentionQuery } from "~/api/storage";
import type { Tagged } from "~/api/tagged";
import { useT } from "~/i18n";
import { ProblemBox } from "~/ui/feedback";
import { errorOf, TextField } from "~/ui/form";
import { FormDialog } from "~/ui/form-dialog";
import { type Entry, entriesOf, read, requestOf, written } from "./retention";
import styles from "./storage.module.css";

export function RetentionDialog({ onClose }: { onClose: () => void }) {
  const t = useT();
  const { data, error, refetch } = useQuery(retentionQuery);
  if (error !== null) return <ProblemBox error={error} subject={t("retention.title")} onRetry={() => void refetch()} />;
  return data === undefined ? null : <Form key={data.tag} current={data} onClose={onClose} />;
}

function Form({ current: { value, tag }, onClose }: { current: Tagged<StorageRetention>; onClose: () => void }) {
  const t = useT();
  const client = useQueryClient();
  const entries = entriesOf(value);
  const [texts, setTexts] = useState<Record<string, string>>(() =>
    Object.fromEntries(entries.map((entry) => [entry.parameter, written(entry)])),
  );
  const wrong = entries.some((entry) => read(entry, texts[entry.parameter] ?? "") === undefined);
  const field = (entry: Entry, label: string, error: unknown) => {
    const { parameter, limit, unit } = entry;
    const text = texts[parameter] ?? "";
    const bounds = { least: written({ unit, limit: { ...limit, value: limit.min } }) };
    const most = written({ unit, limit: { ...limit, value: limit.max } });
    const outside = read(entry, text) === undefined ? t("retention.range", { ...bounds, most }) : undefined;
    return (
      <TextField
        key={parameter}
        label={`${label} (${t(`retention.unit.${unit}`)})`}
        inputMode="decimal"
        disabled={limit.managed_by != null}
        hint={limit.managed_by == null ? undefined : t("retention.managed", { place: limit.managed_by })}
        error={outside ?? errorOf(error, parameter)}
        value={text}
        onChange={(now) => setTexts({ ...texts, [parameter]: now })}
      />
    );
  };
  return (
    <FormDialog
      title={t("retention.title")}
      submit={t("action.save")}
      disabled={wrong}
      fields={entries.map(({ parameter }) => parameter)}
      onClose={onClose}
      onSubmit={async () => {
        await putRetention(requestOf(entries, texts), tag);
        await client.invalidateQueries({ queryKey: ["storage"] });
      }}
    >
      {(error) => (
        <>
          <p>{t("retention.text")}</p>
          <div className={styles.limits}>{entries.map((entry) => field(entry, labelOf(entry, t), error))}</div>
        </>
      )}
    </FormDialog>
  );
}

function labelOf({ kind, parameter, unit }: Entry, t: ReturnType<typeof useT>): string {
  if (kind !== undefined) {
    return `${t(`storage.kind.${kind}`)}: ${t(unit === "days" ? "storage.keepAge" : "storage.keepBytes")}`;
  }
  if (parameter === "warn_percent") return t("retention.warn");
  return t(parameter === "stop_percent" ? "retention.stop" : "retention.stopBytes");
}
