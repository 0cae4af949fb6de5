/** An account of one's own, where registration is on. It has no rights until somebody invites it. */
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useState } from "react";
import { api, done } from "~/api/client";
import { signInOptionsQuery } from "~/api/people";
import { useT } from "~/i18n";
import { paths } from "~/lib/paths";
import { buttonClass } from "~/ui/controls";
import { AccountForm } from "./account-form";
import { Entry } from "./entry";

export function RegisterPage() {
  const t = useT();
  const { data: options } = useQuery(signInOptionsQuery);
  const [made, setMade] = useState(false);
  const toSignIn = (
    <Link {...paths.overview()} className={buttonClass(made)}>
      {t("signIn.go")}
    </Link>
  );
  if (made || options?.registration === false) {
    return (
      <Entry title={t(made ? "register.made" : "register.off")}>
        <p>{t(made ? "register.madeText" : "register.offText")}</p>
        {toSignIn}
      </Entry>
    );
  }
  return (
    <Entry title={t("register.title")}>
      <AccountForm
        submit={t("register.submit")}
        email="required"
        onSubmit={async (account) => {
          await done(api.POST("/api/v1/registration", { body: account }));
          setMade(true);
        }}
      />
      {toSignIn}
    </Entry>
  );
}
