/** Saves what the page shows now under a name. */
import { useQueryClient } from "@tanstack/react-query";
import { useSearch } from "@tanstack/react-router";
import { useState } from "react";
import { createView, viewsQuery } from "~/api/views";
import type { AppSearch } from "~/app/search";
import { useT } from "~/i18n";
import { keptOf, type ViewPage } from "~/lib/views";
import { useMay } from "~/session/session";
import { errorOf, TextField } from "~/ui/form";
import { FormDialog } from "~/ui/form-dialog";
import styles from "./views.module.css";

export function SaveView({ page, onClose }: { page: ViewPage; onClose: () => void }) {
  const t = useT();
  const may = useMay();
  const client = useQueryClient();
  const search = useSearch({ strict: false }) as AppSearch;
  const [name, setName] = useState("");
  const [shared, setShared] = useState(false);
  const save = async () => {
    await createView({ name: name.trim(), page, query: keptOf(search), shared });
    await client.invalidateQueries({ queryKey: viewsQuery.queryKey });
  };
  return (
    <FormDialog
      title={t("views.saveTitle")}
      submit={t("action.save")}
      disabled={name.trim() === ""}
      fields={["name"]}
      onSubmit={save}
      onClose={onClose}
    >
      {(error) => (
        <>
          <TextField
            label={t("list.name")}
            hint={t("views.saveHint")}
            first
            required
            maxLength={100}
            value={name}
            error={errorOf(error, "name")}
            onChange={setName}
          />
          {may("views.write") && (
            <label className={styles.check}>
              <input type="checkbox" checked={shared} onChange={(event) => setShared(event.target.checked)} />
              {t("views.share")}
            </label>
          )}
        </>
      )}
    </FormDialog>
  );
}
