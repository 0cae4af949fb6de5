/** Makes a user, or changes one. Without a password, a link lets them set their own. */
import { useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { api, dataOf } from "~/api/client";
import type { User } from "~/api/schema";
import { ifMatch, type Tagged } from "~/api/tagged";
import { useT } from "~/i18n";
import { errorOf, TextField } from "~/ui/form";
import { FormDialog } from "~/ui/form-dialog";
import styles from "./people.module.css";

export function UserDialog({ current, onClose }: { current?: Tagged<User>; onClose: () => void }) {
  const t = useT();
  const client = useQueryClient();
  const before = current?.value;
  const [name, setName] = useState(before?.name ?? "");
  const [shown, setShown] = useState(before?.display_name ?? "");
  const [email, setEmail] = useState(before?.email ?? "");
  const [site, setSite] = useState(before?.site_administrator ?? false);
  const save = async () => {
    const body = { name: name.trim(), display_name: shown.trim() || null, site_administrator: site };
    if (current === undefined) {
      await dataOf(api.POST("/api/v1/users", { body: { ...body, email: email.trim() || null } }));
    } else {
      const params = { path: { user: current.value.id } };
      const patch = { ...body, email: email.trim() };
      await dataOf(api.PATCH("/api/v1/users/{user}", { params, body: patch, ...ifMatch(current.tag) }));
    }
    await client.invalidateQueries({ queryKey: ["users"] });
    await client.invalidateQueries({ queryKey: ["user"] });
  };
  return (
    <FormDialog
      title={before === undefined ? t("users.create") : t("users.editTitle", { name: before.name })}
      submit={t(before === undefined ? "users.create" : "action.save")}
      disabled={name.trim() === ""}
      fields={["name", "display_name", "email"]}
      onSubmit={save}
      onClose={onClose}
    >
      {(error) => (
        <>
          {before === undefined && <p>{t("users.createText")}</p>}
          <TextField
            label={t("account.name")}
            hint={t("account.nameHint")}
            first
            required
            maxLength={64}
            autoComplete="off"
            value={name}
            error={errorOf(error, "name")}
            onChange={setName}
          />
          <TextField
            label={t("account.displayName")}
            maxLength={100}
            autoComplete="off"
            value={shown}
            error={errorOf(error, "display_name")}
            onChange={setShown}
          />
          <TextField
            label={t("account.emailOptional")}
            type="email"
            maxLength={254}
            autoComplete="off"
            value={email}
            error={errorOf(error, "email")}
            onChange={setEmail}
          />
          <label className={styles.check}>
            <input type="checkbox" checked={site} onChange={(event) => setSite(event.target.checked)} />
            <span>{t("users.siteText")}</span>
          </label>
        </>
      )}
    </FormDialog>
  );
}
