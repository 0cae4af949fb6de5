/** Nobody is signed in: says how, because there is no password to type. */
import { useEffect } from "react";
import { sessionQuery } from "~/api/queries";
import { queryClient } from "~/app/services";
import { Rich, useT } from "~/i18n";
import { Button } from "~/ui/controls";
import { Centered, Command } from "~/ui/feedback";
import { Logo } from "~/ui/icons";

/** Each start prints a new link; sessions that were opened before stay good. */
export const linkCommand = "netwatch up";

export function SignedOut() {
  const t = useT();
  useEffect(() => {
    document.title = `${t("signedOut.title")} · Netwatch`;
  }, [t]);
  return (
    <Centered>
      <Logo />
      <h1>{t("signedOut.title")}</h1>
      <p>
        <Rich id="signedOut.text" values={{ path: <code>/start#…</code> }} />
      </p>
      <p>{t("signedOut.lost")}</p>
      <Command>{linkCommand}</Command>
      <Button onClick={() => void queryClient.invalidateQueries({ queryKey: sessionQuery.queryKey })}>
        {t("action.retry")}
      </Button>
    </Centered>
  );
}
