/** The first step of the set-up: the first administrator and the name of the first workspace, with the code of the printed link. */
import { useNavigate } from "@tanstack/react-router";
import { useState } from "react";
import { api, dataOf } from "~/api/client";
import { RequestError } from "~/api/problem";
import { useT } from "~/i18n";
import { paths } from "~/lib/paths";
import { enter } from "~/session/session";
import { errorOf, TextField } from "~/ui/form";
import { AccountForm, type NewAccount } from "../sign-in/account-form";
import { Entry } from "../sign-in/entry";
import { Steps } from "./steps";

export function Administrator({ code, onGone }: { code: string; onGone: () => void }) {
  const t = useT();
  const navigate = useNavigate();
  const [workspace, setWorkspace] = useState("");
  const setUp = async ({ email, ...account }: NewAccount) => {
    const body = { ...account, code, email: email || null, workspace: workspace.trim() || null };
    try {
      await dataOf(api.POST("/api/v1/setup", { body }));
    } catch (error) {
      if (error instanceof RequestError && error.is("gone")) onGone();
      throw error;
    }
    await enter();
    await navigate({ ...paths.welcome("interfaces"), replace: true });
  };
  return (
    <Entry title={t("setUp.administrator")}>
      <Steps current="administrator" />
      <p>{t("setUp.administratorText")}</p>
      <AccountForm submit={t("setUp.next")} email="optional" onSubmit={setUp}>
        {(error) => (
          <TextField
            label={t("setUp.workspace")}
            hint={t("setUp.workspaceHint")}
            error={errorOf(error, "workspace")}
            maxLength={100}
            value={workspace}
            onChange={setWorkspace}
          />
        )}
      </AccountForm>
    </Entry>
  );
}
