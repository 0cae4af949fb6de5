/** Where a link leads that shows that an address is one's own: `/verify#CODE`. */
import { useMutation } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useState } from "react";
import { api, done } from "~/api/client";
import { RequestError } from "~/api/problem";
import { useT } from "~/i18n";
import { takeCode } from "~/lib/link-code";
import { paths } from "~/lib/paths";
import { Button, buttonClass } from "~/ui/controls";
import { FormProblem } from "~/ui/form";
import { Entry } from "./sign-in/entry";
import { LinkGone } from "./sign-in/link-gone";

export function VerifyPage() {
  const t = useT();
  const [code] = useState(takeCode);
  const verify = useMutation({
    mutationFn: () => done(api.POST("/api/v1/email-verification", { body: { code } })),
  });
  if (code === "" || (verify.error instanceof RequestError && verify.error.is("gone"))) return <LinkGone />;
  if (verify.isSuccess) {
    return (
      <Entry title={t("verify.done")}>
        <Link {...paths.overview()} className={buttonClass(true)}>
          {t("missing.action")}
        </Link>
      </Entry>
    );
  }
  return (
    <Entry title={t("verify.title")}>
      <p>{t("verify.text")}</p>
      <FormProblem error={verify.error} subject={t("verify.title")} />
      <Button look="primary" disabled={verify.isPending} onClick={() => verify.mutate()}>
        {t("verify.submit")}
      </Button>
    </Entry>
  );
}
