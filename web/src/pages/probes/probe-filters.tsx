/** Which probes are listed and in which order: the server chooses, so that thousands are no more than a page. */
import { useQuery } from "@tanstack/react-query";
import { useNavigate, useSearch } from "@tanstack/react-router";
import { type FormEvent, useState } from "react";
import { kindsQuery } from "~/api/probes";
import { type AppSearch, probeSorts, probeStates } from "~/app/search";
import { useT } from "~/i18n";
import { Button, Select } from "~/ui/controls";
import styles from "./uptime.module.css";

export function ProbeFilters() {
  const t = useT();
  const search = useSearch({ strict: false }) as AppSearch;
  const navigate = useNavigate();
  const { data: kinds = [] } = useQuery(kindsQuery);
  const set = (change: AppSearch) =>
    void navigate({ to: ".", search: (now: AppSearch) => ({ ...now, ...change }), replace: true });
  const isFiltered = Boolean(search.standing || search.kind || search.label);
  return (
    <div className={styles.filters}>
      <Select
        label={t("column.state")}
        value={search.standing ?? ""}
        options={[
          { value: "", label: t("probes.allStates") },
          ...probeStates.map((value) => ({ value, label: t(`probes.state.${value}`) })),
        ]}
        onChange={(standing) => set({ standing: standing || undefined })}
      />
      <Select
        label={t("probes.kind")}
        value={search.kind ?? ""}
        options={[
          { value: "", label: t("probes.allKinds") },
          ...kinds.map(({ kind }) => ({ value: kind, label: kind })),
        ]}
        onChange={(kind) => set({ kind: kind || undefined })}
      />
      <LabelField key={search.label ?? ""} value={search.label ?? ""} onChange={(label) => set({ label })} />
      <Select
        label={t("probes.order")}
        value={search.rank ?? "name"}
        options={probeSorts.map((value) => ({ value, label: t(`probes.order.${value}`) }))}
        onChange={(rank) => set({ rank: rank === "name" ? undefined : rank })}
      />
      {isFiltered && (
        <Button look="quiet" onClick={() => set({ standing: undefined, kind: undefined, label: undefined })}>
          {t("probes.showAll")}
        </Button>
      )}
    </div>
  );
}

/** A label as `name=value`; it is taken with Enter or when the field is left. */
function LabelField({ value, onChange }: { value: string; onChange: (value: string | undefined) => void }) {
  const t = useT();
  const [text, setText] = useState(value);
  const fits = text.trim() === "" || /^[^=]+=/.test(text.trim());
  const take = (event?: FormEvent) => {
    event?.preventDefault();
    if (fits && text.trim() !== value) onChange(text.trim() || undefined);
  };
  return (
    <form onSubmit={take}>
      <input
        className={styles.label}
        aria-label={t("probes.label")}
        aria-invalid={!fits}
        placeholder={t("probes.labelHint")}
        spellCheck={false}
        maxLength={257}
        value={text}
        onBlur={() => take()}
        onChange={(event) => setText(event.target.value)}
      />
    </form>
  );
}
