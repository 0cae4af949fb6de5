/** The second step of signing in: the code of the authenticator, a passkey, or a recovery code when both are lost. */
import { useMutation } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import { api, dataOf } from "~/api/client";
import { RequestError } from "~/api/problem";
import { useT } from "~/i18n";
import { Button } from "~/ui/controls";
import { TextField } from "~/ui/form";
import styles from "./entry.module.css";
import { PasskeyButton } from "./passkey";
import { Refused } from "./refused";

/** What stands for a right password, and what is taken beside it. */
export type Ticket = { ticket: string; methods: readonly string[] };

type SecondFactorProps = { ticket: Ticket; onIn: () => Promise<void>; onAgain: () => void };

export function SecondFactor({ ticket: { ticket, methods }, onIn, onAgain }: SecondFactorProps) {
  const t = useT();
  const [recovery, setRecovery] = useState(false);
  const [code, setCode] = useState("");
  const check = useMutation({
    mutationFn: () =>
      dataOf(api.POST("/api/v1/sign-in/second-factor", { body: { ticket, code: code.replace(/\s/g, "") } })),
    onSuccess: onIn,
  });
  const ended = check.error instanceof RequestError && check.error.is("gone");
  const send = (event: FormEvent) => {
    event.preventDefault();
    if (!check.isPending && !ended) check.mutate();
  };
  return (
    <form className={styles.form} onSubmit={send}>
      <p>{t(recovery ? "signIn.recoveryText" : "signIn.codeText")}</p>
      <TextField
        key={recovery ? "recovery" : "totp"}
        label={t(recovery ? "signIn.recoveryCode" : "signIn.code")}
        first
        mono
        required
        autoComplete="one-time-code"
        inputMode={recovery ? "text" : "numeric"}
        maxLength={64}
        value={code}
        onChange={setCode}
      />
      <Refused error={check.error} wrong={t("signIn.wrongCode")} />
      <Button type="submit" look="primary" disabled={check.isPending || ended}>
        {t("signIn.submit")}
      </Button>
      {methods.includes("passkey") && <PasskeyButton ticket={ticket} onIn={onIn} />}
      <div className={styles.row}>
        <button
          type="button"
          className={styles.link}
          onClick={() => {
            setRecovery(!recovery);
            setCode("");
            check.reset();
          }}
        >
          {t(recovery ? "signIn.useCode" : "signIn.useRecovery")}
        </button>
        <button type="button" className={styles.link} onClick={onAgain}>
          {t("signIn.again")}
        </button>
      </div>
    </form>
  );
}
