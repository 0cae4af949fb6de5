/** Where one is signed in; each session can be ended. */
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { api, done } from "~/api/client";
import { accountSessionsQuery } from "~/api/people";
import type { AccountSession } from "~/api/schema";
import { useT } from "~/i18n";
import { useFormat } from "~/prefs/use-format";
import { signOut } from "~/session/session";
import { Button, Mark } from "~/ui/controls";
import { ProblemBox, Skeleton } from "~/ui/feedback";
import { FormProblem } from "~/ui/form";
import { Moment } from "~/ui/moment";
import styles from "./account.module.css";

const methods = [
  "password",
  "password_totp",
  "password_recovery",
  "password_passkey",
  "passkey",
  "external",
  "link",
] as const;

export function Sessions() {
  const t = useT();
  const client = useQueryClient();
  const { data, error, refetch } = useQuery(accountSessionsQuery);
  const renew = () => client.invalidateQueries({ queryKey: accountSessionsQuery.queryKey });
  const endOthers = useMutation({
    mutationFn: () => done(api.DELETE("/api/v1/account/sessions")),
    onSettled: renew,
  });
  if (data === undefined) {
    if (error === null) return <Skeleton height={120} />;
    return <ProblemBox error={error} subject={t("account.sessions")} onRetry={() => void refetch()} />;
  }
  return (
    <div className={styles.sessions}>
      <ul>
        {data.items.map((session) => (
          <Session key={session.id} session={session} onEnd={renew} />
        ))}
      </ul>
      {data.items.length > 1 && (
        <Button disabled={endOthers.isPending} onClick={() => endOthers.mutate()}>
          {t("account.endOthers")}
        </Button>
      )}
      <FormProblem error={endOthers.error} subject={t("account.sessions")} />
    </div>
  );
}

function Session({ session, onEnd }: { session: AccountSession; onEnd: () => Promise<void> }) {
  const t = useT();
  const format = useFormat();
  const method = methods.find((one) => one === session.method);
  const end = useMutation({
    mutationFn: () =>
      session.current
        ? signOut()
        : done(api.DELETE("/api/v1/account/sessions/{session}", { params: { path: { session: session.id } } })),
    onSettled: () => (session.current ? undefined : onEnd()),
  });
  return (
    <li className={styles.session}>
      <div>
        <span className="mono">{session.address ?? "–"}</span> ·{" "}
        {method === undefined ? session.method : t(`method.${method}`)} · <Moment time={session.used} />
        <p title={t("settings.ends", { time: format.moment(Date.parse(session.expires)) })}>{session.browser}</p>
      </div>
      {session.current && <Mark status="ok">{t("account.thisSession")}</Mark>}
      <Button disabled={end.isPending} onClick={() => end.mutate()}>
        {t(session.current ? "settings.signOut" : "account.endSession")}
      </Button>
      <FormProblem error={end.error} subject={t("account.sessions")} />
    </li>
  );
}
