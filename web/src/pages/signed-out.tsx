/** Nobody is there yet: says where the link is that makes the first administrator. */
import { signInOptionsQuery } from "~/api/people";
import { queryClient } from "~/app/services";
import { Rich, useT } from "~/i18n";
import { Button } from "~/ui/controls";
import { Command } from "~/ui/feedback";
import { Entry } from "./sign-in/entry";

/** Each start prints a new link. */
export const linkCommand = "netwatch up";

export function SignedOut() {
  const t = useT();
  return (
    <Entry title={t("signedOut.title")}>
      <p>
        <Rich id="signedOut.text" values={{ path: <code>/start#…</code> }} />
      </p>
      <p>{t("signedOut.lost")}</p>
      <Command>{linkCommand}</Command>
      <Button onClick={() => void queryClient.invalidateQueries({ queryKey: signInOptionsQuery.queryKey })}>
        {t("action.retry")}
      </Button>
    </Entry>
  );
}
