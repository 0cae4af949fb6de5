/**
 * In front of every page: name and password, then the second factor when there is one; or a passkey, or an identity provider. The
 * address stays, so that a link leads to its page after signing in. No answer here tells whether a user exists.
 */
import { useMutation, useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { type FormEvent, useState } from "react";
import { api, dataOf } from "~/api/client";
import { signInOptionsQuery } from "~/api/people";
import type { SignInAnswer } from "~/api/schema";
import { useT } from "~/i18n";
import { hasPasskeys } from "~/lib/passkey";
import { identityProvider, paths } from "~/lib/paths";
import { enter } from "~/session/session";
import { Button, buttonClass } from "~/ui/controls";
import { PasswordField, TextField } from "~/ui/form";
import { SignedOut } from "../signed-out";
import { Entry } from "./entry";
import styles from "./entry.module.css";
import { PasskeyButton } from "./passkey";
import { Refused } from "./refused";
import { SecondFactor, type Ticket } from "./second-factor";

export function SignIn() {
  const t = useT();
  const { data: options } = useQuery(signInOptionsQuery);
  const [ticket, setTicket] = useState<Ticket>();
  if (options?.set_up_needed) return <SignedOut />;
  return (
    <Entry title={t("signIn.title")}>
      {ticket !== undefined ? (
        <SecondFactor ticket={ticket} onIn={enter} onAgain={() => setTicket(undefined)} />
      ) : (
        <>
          <PasswordForm onIn={enter} onSecondFactor={setTicket} />
          <Others />
        </>
      )}
      {options?.registration === true && ticket === undefined && (
        <p>
          <Link {...paths.register()}>{t("signIn.register")}</Link>
        </p>
      )}
    </Entry>
  );
}

type PasswordFormProps = { onIn: () => Promise<void>; onSecondFactor: (ticket: Ticket) => void };

export function PasswordForm({ onIn, onSecondFactor }: PasswordFormProps) {
  const t = useT();
  const [name, setName] = useState("");
  const [password, setPassword] = useState("");
  const signIn = useMutation({
    mutationFn: () => dataOf<SignInAnswer>(api.POST("/api/v1/sign-in", { body: { name: name.trim(), password } })),
    onSuccess: async (answer) => {
      setPassword("");
      if (answer.status === "signed_in") await onIn();
      else onSecondFactor(answer);
    },
  });
  const send = (event: FormEvent) => {
    event.preventDefault();
    if (!signIn.isPending) signIn.mutate();
  };
  return (
    <form className={styles.form} onSubmit={send}>
      <TextField
        label={t("signIn.name")}
        first
        required
        autoComplete="username"
        autoCapitalize="none"
        maxLength={64}
        value={name}
        onChange={setName}
      />
      <PasswordField
        label={t("signIn.password")}
        required
        autoComplete="current-password"
        value={password}
        onChange={setPassword}
      />
      <Refused error={signIn.error} wrong={t("signIn.wrong")} />
      <Button type="submit" look="primary" disabled={signIn.isPending}>
        {t("signIn.submit")}
      </Button>
    </form>
  );
}

/** Ways in without a password of this server. */
function Others() {
  const t = useT();
  const { data: options } = useQuery(signInOptionsQuery);
  const providers = options?.identity_providers ?? [];
  if (providers.length === 0 && !hasPasskeys(options?.passkey_domain)) return null;
  return (
    <div className={styles.or}>
      <PasskeyButton onIn={enter} />
      {providers.map(({ id, name }) => (
        <a key={id} href={identityProvider(id)} className={buttonClass()}>
          {t("signIn.with", { name })}
        </a>
      ))}
    </div>
  );
}
