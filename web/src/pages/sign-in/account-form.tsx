/** The form that makes an account: for the first administrator, by invitation, by registering. */
import { useMutation, useQuery } from "@tanstack/react-query";
import { type FormEvent, type ReactNode, useState } from "react";
import { signInOptionsQuery } from "~/api/people";
import { useT } from "~/i18n";
import { Button } from "~/ui/controls";
import { errorOf, FormProblem, PasswordField, TextField } from "~/ui/form";
import styles from "./entry.module.css";

export type NewAccount = { name: string; display_name: string | null; email: string; password: string };

type AccountFormProps = {
  submit: string;
  /** Whether an address is asked for. */
  email?: "required" | "optional" | undefined;
  initialEmail?: string | undefined;
  /** Fields of the page beside those of the account. */
  children?: (error: unknown) => ReactNode;
  onSubmit: (account: NewAccount) => Promise<unknown>;
};

const fields = ["name", "display_name", "email", "password", "workspace"] as const;

export function AccountForm({ submit, email, initialEmail = "", children, onSubmit }: AccountFormProps) {
  const t = useT();
  const [account, setAccount] = useState({ name: "", shown: "", email: initialEmail, password: "" });
  const set = (key: keyof typeof account) => (value: string) => setAccount({ ...account, [key]: value });
  const make = useMutation({
    mutationFn: () =>
      onSubmit({
        name: account.name.trim(),
        display_name: account.shown.trim() || null,
        email: account.email.trim(),
        password: account.password,
      }),
  });
  const send = (event: FormEvent) => {
    event.preventDefault();
    if (!make.isPending) make.mutate();
  };
  return (
    <form className={styles.form} onSubmit={send}>
      <TextField
        label={t("account.name")}
        hint={t("account.nameHint")}
        error={errorOf(make.error, "name")}
        first
        required
        autoComplete="username"
        autoCapitalize="none"
        maxLength={64}
        value={account.name}
        onChange={set("name")}
      />
      <TextField
        label={t("account.displayName")}
        hint={t("account.displayNameHint")}
        error={errorOf(make.error, "display_name")}
        autoComplete="name"
        maxLength={100}
        value={account.shown}
        onChange={set("shown")}
      />
      {email !== undefined && (
        <TextField
          label={t(email === "required" ? "account.email" : "account.emailOptional")}
          error={errorOf(make.error, "email")}
          type="email"
          required={email === "required"}
          autoComplete="email"
          maxLength={254}
          value={account.email}
          onChange={set("email")}
        />
      )}
      <NewPassword error={make.error} value={account.password} onChange={set("password")} />
      {children?.(make.error)}
      <FormProblem error={make.error} subject={t("account.notMade")} fields={fields} />
      <Button type="submit" look="primary" disabled={make.isPending}>
        {submit}
      </Button>
    </form>
  );
}

type NewPasswordProps = { error: unknown; value: string; onChange: (value: string) => void; label?: string };

/** A new password, with what the server asks of it. */
export function NewPassword({ error, value, onChange, label }: NewPasswordProps) {
  const t = useT();
  const { data: options } = useQuery(signInOptionsQuery);
  const hint =
    options && t("account.passwordHint", { least: options.password_min, recommended: options.password_recommended });
  return (
    <PasswordField
      label={label ?? t("account.password")}
      hint={hint}
      error={errorOf(error, "password")}
      required
      minLength={options?.password_min ?? 12}
      autoComplete="new-password"
      value={value}
      onChange={onChange}
    />
  );
}
