/** One's passkeys: added with the password and a device, named, removed with the password. */
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { api, dataOf, done } from "~/api/client";
import { signInOptionsQuery } from "~/api/people";
import { sessionQuery } from "~/api/queries";
import type { Account, AccountCredential } from "~/api/schema";
import { useT } from "~/i18n";
import { hasPasskeys, makePasskey } from "~/lib/passkey";
import { Button } from "~/ui/controls";
import { errorOf, TextField } from "~/ui/form";
import { FormDialog } from "~/ui/form-dialog";
import { Moment } from "~/ui/moment";
import { RowMenu } from "~/ui/row-menu";
import { Row } from "../settings/row";
import styles from "./account.module.css";
import { CurrentPassword } from "./password";

type Open = "add" | { rename: AccountCredential } | { remove: AccountCredential };

export function Passkeys({ account }: { account: Account }) {
  const t = useT();
  const { data: options } = useQuery(signInOptionsQuery);
  const [open, setOpen] = useState<Open>();
  const close = () => setOpen(undefined);
  const own = account.credentials.filter(({ kind }) => kind === "passkey");
  const here = hasPasskeys(options?.passkey_domain);
  return (
    <>
      <Row title={t("passkey.title")} text={t(here ? "passkey.text" : "passkey.notHere")}>
        <Button disabled={!here} onClick={() => setOpen("add")}>
          {t("passkey.add")}
        </Button>
      </Row>
      {own.length > 0 && (
        <ul className={styles.passkeys} aria-label={t("passkey.title")}>
          {own.map((passkey) => (
            <li key={passkey.id} className={styles.session}>
              <div>
                <span>{passkey.name}</span>
                <p>
                  <Used passkey={passkey} />
                </p>
              </div>
              <RowMenu
                name={passkey.name}
                items={[
                  { label: t("passkey.rename"), onSelect: () => setOpen({ rename: passkey }) },
                  { label: t("passkey.remove"), onSelect: () => setOpen({ remove: passkey }) },
                ]}
              />
            </li>
          ))}
        </ul>
      )}
      {open === "add" && <Add account={account} onClose={close} />}
      {typeof open === "object" && "rename" in open && <Rename passkey={open.rename} onClose={close} />}
      {typeof open === "object" && "remove" in open && (
        <Remove account={account} passkey={open.remove} onClose={close} />
      )}
    </>
  );
}

function Used({ passkey }: { passkey: AccountCredential }) {
  const t = useT();
  const used = passkey.last_used ?? undefined;
  return (
    <>
      {t(used === undefined ? "passkey.added" : "passkey.used")} <Moment time={used ?? passkey.created} />
    </>
  );
}

function Add({ account, onClose }: { account: Account; onClose: () => void }) {
  const t = useT();
  const renew = useRenew();
  const [name, setName] = useState("");
  const [password, setPassword] = useState("");
  const has = account.user.has_password;
  return (
    <FormDialog
      title={t("passkey.add")}
      submit={t("setUp.next")}
      disabled={name.trim() === "" || (has && password === "")}
      fields={["name"]}
      onClose={onClose}
      onSubmit={async () => {
        const body = { password: has ? password : null };
        const { ceremony, options } = await dataOf(api.POST("/api/v1/account/passkeys", { body }));
        const credential = await makePasskey(options);
        const made = { ceremony, name: name.trim(), credential };
        await dataOf(api.POST("/api/v1/account/passkeys/confirm", { body: made }));
        await renew();
      }}
    >
      {(error) => (
        <>
          <p>{t(has ? "passkey.prove" : "totp.proveFresh")}</p>
          <Name value={name} error={error} onChange={setName} />
          {has && <CurrentPassword value={password} onChange={setPassword} />}
        </>
      )}
    </FormDialog>
  );
}

function Rename({ passkey, onClose }: { passkey: AccountCredential; onClose: () => void }) {
  const t = useT();
  const renew = useRenew();
  const [name, setName] = useState(passkey.name);
  const path = { passkey: passkey.id };
  return (
    <FormDialog
      title={t("passkey.rename")}
      submit={t("action.save")}
      disabled={name.trim() === ""}
      fields={["name"]}
      onClose={onClose}
      onSubmit={async () => {
        const body = { name: name.trim() };
        await done(api.PATCH("/api/v1/account/passkeys/{passkey}", { params: { path }, body }));
        await renew();
      }}
    >
      {(error) => <Name value={name} error={error} onChange={setName} />}
    </FormDialog>
  );
}

type RemoveProps = { account: Account; passkey: AccountCredential; onClose: () => void };

function Remove({ account, passkey, onClose }: RemoveProps) {
  const t = useT();
  const renew = useRenew();
  const [password, setPassword] = useState("");
  const has = account.user.has_password;
  const path = { passkey: passkey.id };
  return (
    <FormDialog
      title={t("passkey.remove")}
      submit={t("passkey.remove")}
      danger
      disabled={has && password === ""}
      onClose={onClose}
      onSubmit={async () => {
        const body = { password: has ? password : null };
        await done(api.DELETE("/api/v1/account/passkeys/{passkey}", { params: { path }, body }));
        await renew();
      }}
    >
      {() => (
        <>
          <p>{t("passkey.removeText", { name: passkey.name })}</p>
          {has && <CurrentPassword value={password} onChange={setPassword} />}
        </>
      )}
    </FormDialog>
  );
}

type NameProps = { value: string; error: unknown; onChange: (value: string) => void };

function Name({ value, error, onChange }: NameProps) {
  const t = useT();
  return (
    <TextField
      label={t("passkey.name")}
      hint={t("passkey.nameHint")}
      first
      required
      autoComplete="off"
      maxLength={100}
      value={value}
      error={errorOf(error, "name")}
      onChange={onChange}
    />
  );
}

function useRenew(): () => Promise<void> {
  const client = useQueryClient();
  return async () => {
    await client.invalidateQueries({ queryKey: ["account"] });
    await client.invalidateQueries({ queryKey: sessionQuery.queryKey });
  };
}
