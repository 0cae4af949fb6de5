/** How one is shown, and one's address. */
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { api, dataOf, done } from "~/api/client";
import { sessionQuery } from "~/api/queries";
import type { Account } from "~/api/schema";
import { useT } from "~/i18n";
import { Button } from "~/ui/controls";
import { errorOf, FormProblem, TextField } from "~/ui/form";
import { Hint } from "~/ui/page";
import settings from "../settings/settings.module.css";

export function Profile({ account }: { account: Account }) {
  const t = useT();
  const client = useQueryClient();
  const [shown, setShown] = useState(account.user.display_name);
  const [email, setEmail] = useState(account.email ?? "");
  const save = useMutation({
    mutationFn: () => done(api.PATCH("/api/v1/account", { body: { display_name: shown.trim(), email: email.trim() } })),
    onSuccess: async () => {
      await client.invalidateQueries({ queryKey: ["account"] });
      await client.invalidateQueries({ queryKey: sessionQuery.queryKey });
    },
  });
  const verify = useMutation({
    mutationFn: () => dataOf(api.POST("/api/v1/account/email-verification")),
  });
  const unchanged = shown.trim() === account.user.display_name && email.trim() === (account.email ?? "");
  return (
    <form
      className={settings.inline}
      onSubmit={(event) => {
        event.preventDefault();
        save.mutate();
      }}
    >
      <p>
        {t("account.name")}: <strong className="mono">{account.user.name}</strong>
      </p>
      <TextField
        label={t("account.displayName")}
        hint={t("account.displayNameHint")}
        autoComplete="name"
        maxLength={100}
        value={shown}
        error={errorOf(save.error, "display_name")}
        onChange={setShown}
      />
      <TextField
        label={t("account.emailOptional")}
        hint={account.email == null ? undefined : t(account.email_verified ? "account.verified" : "account.unverified")}
        type="email"
        autoComplete="email"
        maxLength={254}
        value={email}
        error={errorOf(save.error, "email")}
        onChange={setEmail}
      />
      <FormProblem error={save.error} subject={t("account.profile")} fields={["display_name", "email"]} />
      <div className={settings.buttons}>
        <Button type="submit" disabled={save.isPending || unchanged}>
          {t("action.save")}
        </Button>
        {account.email != null && !account.email_verified && (
          <Button disabled={verify.isPending} onClick={() => verify.mutate()}>
            {t("account.verify")}
          </Button>
        )}
        <span role="status">
          {verify.data !== undefined && <Hint>{verify.data.detail}</Hint>}
          {save.isSuccess && unchanged && <Hint>{t("action.saved")}</Hint>}
        </span>
      </div>
      <FormProblem error={verify.error} subject={t("account.verify")} />
    </form>
  );
}
