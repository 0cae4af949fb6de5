/** Changing one's password: all other sessions end. */
import { useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { api, done } from "~/api/client";
import type { Account } from "~/api/schema";
import { useT } from "~/i18n";
import { Button } from "~/ui/controls";
import { PasswordField } from "~/ui/form";
import { FormDialog } from "~/ui/form-dialog";
import { Row } from "../settings/row";
import { NewPassword } from "../sign-in/account-form";

export function Password({ account }: { account: Account }) {
  const t = useT();
  const [open, setOpen] = useState(false);
  const has = account.user.has_password;
  return (
    <Row title={t("account.password")} text={t(has ? "account.passwordText" : "account.noPassword")}>
      <Button onClick={() => setOpen(true)}>{t(has ? "account.changePassword" : "account.setPassword")}</Button>
      {open && <PasswordDialog has={has} onClose={() => setOpen(false)} />}
    </Row>
  );
}

function PasswordDialog({ has, onClose }: { has: boolean; onClose: () => void }) {
  const t = useT();
  const client = useQueryClient();
  const [current, setCurrent] = useState("");
  const [next, setNext] = useState("");
  return (
    <FormDialog
      title={t(has ? "account.changePassword" : "account.setPassword")}
      submit={t("action.save")}
      disabled={next === "" || (has && current === "")}
      fields={["password", "new"]}
      onClose={onClose}
      onSubmit={async () => {
        await done(api.PUT("/api/v1/account/password", { body: { current: has ? current : null, new: next } }));
        await client.invalidateQueries({ queryKey: ["account"] });
      }}
    >
      {(error) => (
        <>
          {has && <CurrentPassword value={current} onChange={setCurrent} />}
          <NewPassword label={t("account.newPassword")} error={error} value={next} onChange={setNext} />
        </>
      )}
    </FormDialog>
  );
}

/** The password so far, as a proof that it is oneself. */
export function CurrentPassword({ value, onChange }: { value: string; onChange: (value: string) => void }) {
  const t = useT();
  return (
    <PasswordField
      label={t("account.currentPassword")}
      first
      required
      autoComplete="current-password"
      value={value}
      onChange={onChange}
    />
  );
}
