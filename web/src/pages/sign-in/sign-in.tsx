/**
 * In front of every page: name and password, then the second factor when there is one; or an identity provider. The address stays,
 * so that a link leads to its page after signing in. No answer here tells whether a user exists.
 */
import { useMutation, useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { type FormEvent, useState } from "react";
import { api, dataOf } from "~/api/client";
import { signInOptionsQuery } from "~/api/people";
import { RequestError } from "~/api/problem";
import type { SignInAnswer } from "~/api/schema";
import { useT } from "~/i18n";
import { identityProvider, paths } from "~/lib/paths";
import { enter } from "~/session/session";
import { Button, buttonClass } from "~/ui/controls";
import { ProblemBox, Refusal } from "~/ui/feedback";
import { PasswordField, TextField } from "~/ui/form";
import { SignedOut } from "../signed-out";
import { Entry } from "./entry";
import styles from "./entry.module.css";
import { SecondFactor } from "./second-factor";

export function SignIn() {
  const t = useT();
  const { data: options } = useQuery(signInOptionsQuery);
  const [ticket, setTicket] = useState<string>();
  if (options?.set_up_needed) return <SignedOut />;
  return (
    <Entry title={t("signIn.title")}>
      {ticket !== undefined ? (
        <SecondFactor ticket={ticket} onIn={enter} onAgain={() => setTicket(undefined)} />
      ) : (
        <>
          <PasswordForm onIn={enter} onSecondFactor={setTicket} />
          <Providers />
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

type PasswordFormProps = { onIn: () => Promise<void>; onSecondFactor: (ticket: string) => void };

export function PasswordForm({ onIn, onSecondFactor }: PasswordFormProps) {
  const t = useT();
  const [name, setName] = useState("");
  const [password, setPassword] = useState("");
  const signIn = useMutation({
    mutationFn: () => dataOf<SignInAnswer>(api.POST("/api/v1/sign-in", { body: { name: name.trim(), password } })),
    onSuccess: async (answer) => {
      setPassword("");
      if (answer.status === "signed_in") await onIn();
      else onSecondFactor(answer.ticket);
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

/** Why somebody is not let in, in the words of the page. */
export function Refused({ error, wrong }: { error: unknown; wrong: string }) {
  const t = useT();
  if (error === null || error === undefined) return null;
  const subject = t("signIn.refused");
  const is = (code: "unauthenticated" | "too_many_requests") => error instanceof RequestError && error.is(code);
  if (is("unauthenticated")) return <Refusal subject={subject}>{wrong}</Refusal>;
  if (is("too_many_requests")) return <Refusal subject={subject}>{t("signIn.wait")}</Refusal>;
  return <ProblemBox error={error} subject={subject} />;
}

function Providers() {
  const t = useT();
  const providers = useQuery(signInOptionsQuery).data?.identity_providers ?? [];
  if (providers.length === 0) return null;
  return (
    <div className={styles.or}>
      {providers.map(({ id, name }) => (
        <a key={id} href={identityProvider(id)} className={buttonClass()}>
          {t("signIn.with", { name })}
        </a>
      ))}
    </div>
  );
}
