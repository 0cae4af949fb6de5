/** Inviting somebody: a role, an address for the list if one likes, and a link that is shown once and handed over by oneself. */
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import { api, dataOf } from "~/api/client";
import { useT } from "~/i18n";
import { useFormat } from "~/prefs/use-format";
import { Button } from "~/ui/controls";
import { errorOf, FormProblem, TextField } from "~/ui/form";
import styles from "~/ui/form.module.css";
import { linkOf, Secret } from "~/ui/secret";
import { RoleField } from "./role-field";

export function InviteForm() {
  const t = useT();
  const format = useFormat();
  const client = useQueryClient();
  const [role, setRole] = useState("viewer");
  const [email, setEmail] = useState("");
  const invite = useMutation({
    mutationFn: () => dataOf(api.POST("/api/v1/invitations", { body: { role, email: email.trim() || null } })),
    onSuccess: () => client.invalidateQueries({ queryKey: ["invitations"] }),
  });
  if (invite.data !== undefined) {
    return (
      <div className={styles.form}>
        <p>{t("invite.made", { end: format.moment(Date.parse(invite.data.invitation.expires)) })}</p>
        <Secret label={t("invite.link")}>{linkOf(invite.data.path)}</Secret>
        <div>
          <Button
            onClick={() => {
              invite.reset();
              setEmail("");
            }}
          >
            {t("invite.another")}
          </Button>
        </div>
      </div>
    );
  }
  const send = (event: FormEvent) => {
    event.preventDefault();
    if (!invite.isPending) invite.mutate();
  };
  return (
    <form className={styles.form} onSubmit={send}>
      <RoleField value={role} onChange={setRole} error={errorOf(invite.error, "role")} />
      <TextField
        label={t("account.emailOptional")}
        hint={t("invite.emailHint")}
        error={errorOf(invite.error, "email")}
        type="email"
        maxLength={254}
        value={email}
        onChange={setEmail}
      />
      <FormProblem error={invite.error} subject={t("invite.make")} fields={["role", "email"]} />
      <div>
        <Button type="submit" look="primary" disabled={invite.isPending}>
          {t("invite.make")}
        </Button>
      </div>
    </form>
  );
}
