/** Where a link for a new password leads: `/reset#CODE`. All sessions of the user end. */
import { useMutation } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { type FormEvent, useState } from "react";
import { api, done } from "~/api/client";
import { RequestError } from "~/api/problem";
import { useT } from "~/i18n";
import { takeCode } from "~/lib/link-code";
import { paths } from "~/lib/paths";
import { Button, buttonClass } from "~/ui/controls";
import { FormProblem } from "~/ui/form";
import { NewPassword } from "./sign-in/account-form";
import { Entry } from "./sign-in/entry";
import styles from "./sign-in/entry.module.css";
import { LinkGone } from "./sign-in/link-gone";

export function ResetPage() {
  const t = useT();
  const [code] = useState(takeCode);
  const [password, setPassword] = useState("");
  const set = useMutation({
    mutationFn: () => done(api.POST("/api/v1/password-reset", { body: { code, password } })),
  });
  if (code === "" || (set.error instanceof RequestError && set.error.is("gone"))) return <LinkGone />;
  if (set.isSuccess) {
    return (
      <Entry title={t("reset.done")}>
        <p>{t("reset.doneText")}</p>
        <Link {...paths.overview()} className={buttonClass(true)}>
          {t("signIn.go")}
        </Link>
      </Entry>
    );
  }
  const send = (event: FormEvent) => {
    event.preventDefault();
    if (!set.isPending) set.mutate();
  };
  return (
    <Entry title={t("reset.title")}>
      <p>{t("reset.text")}</p>
      <form className={styles.form} onSubmit={send}>
        <NewPassword error={set.error} value={password} onChange={setPassword} label={t("account.newPassword")} />
        <FormProblem error={set.error} subject={t("reset.title")} fields={["password"]} />
        <Button type="submit" look="primary" disabled={set.isPending}>
          {t("reset.submit")}
        </Button>
      </form>
    </Entry>
  );
}
