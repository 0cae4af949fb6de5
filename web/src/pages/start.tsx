/**
 * Where the printed link leads: `/start#CODE`. While there is nobody yet, it makes the first administrator; later it signs in.
 */
import { useQuery } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { useEffect, useState } from "react";
import { api, done } from "~/api/client";
import { signInOptionsQuery } from "~/api/people";
import { RequestError } from "~/api/problem";
import { sessionQuery } from "~/api/queries";
import { queryClient } from "~/app/services";
import { useT } from "~/i18n";
import { takeCode } from "~/lib/link-code";
import { paths } from "~/lib/paths";
import { enter } from "~/session/session";
import { Button } from "~/ui/controls";
import { Centered, Command, problemText } from "~/ui/feedback";
import { Entry } from "./sign-in/entry";
import { linkCommand } from "./signed-out";
import { Administrator } from "./welcome/administrator";

export function StartPage() {
  const t = useT();
  const [code] = useState(takeCode);
  const options = useQuery(signInOptionsQuery);
  const [gone, setGone] = useState(false);
  if (gone) return <LinkUsed />;
  if (options.error !== null && options.data === undefined) {
    return <Unreachable error={options.error} onRetry={() => void options.refetch()} />;
  }
  if (options.data === undefined) return <Centered>{t("start.working")}</Centered>;
  if (options.data.set_up_needed && code !== "") return <Administrator code={code} onGone={() => setGone(true)} />;
  return <Exchange code={code} />;
}

/** Trades the code for a session, once. */
function Exchange({ code }: { code: string }) {
  const t = useT();
  const navigate = useNavigate();
  const [error, setError] = useState<unknown>();
  const [tries, setTries] = useState(0);
  // biome-ignore lint/correctness/useExhaustiveDependencies: runs once for each try
  useEffect(() => {
    let current = true;
    exchange(code).then(
      () => current && void navigate({ ...paths.overview(), replace: true }),
      (cause: unknown) => current && setError(cause),
    );
    return () => {
      current = false;
    };
  }, [tries]);
  if (error === undefined) return <Centered>{t("start.working")}</Centered>;
  if (error instanceof RequestError && error.problem !== undefined) return <LinkUsed />;
  const again = () => {
    setError(undefined);
    setTries(tries + 1);
  };
  return <Unreachable error={error} onRetry={again} />;
}

function LinkUsed() {
  const t = useT();
  return (
    <Entry title={t("start.refused")}>
      <p>{t("start.once")}</p>
      <p>{t("start.again")}</p>
      <Command>{linkCommand}</Command>
    </Entry>
  );
}

function Unreachable({ error, onRetry }: { error: unknown; onRetry: () => void }) {
  const t = useT();
  return (
    <Entry title={t("start.unreachable")}>
      <p>{problemText(error, t)}</p>
      <Button look="primary" onClick={onRetry}>
        {t("action.retry")}
      </Button>
    </Entry>
  );
}

let pending: Promise<void> | undefined;

/** The same exchange for everyone who asks until it has failed: a code works once. */
function exchange(code: string): Promise<void> {
  pending ??= (async () => {
    if (code !== "") {
      await done(api.POST("/api/v1/session", { body: { code } }));
      await enter();
    } else await queryClient.fetchQuery({ ...sessionQuery, staleTime: 0 });
  })().catch((cause: unknown) => {
    pending = undefined;
    throw cause;
  });
  return pending;
}
