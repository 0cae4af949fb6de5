/**
 * Where the printed link leads: `/start#CODE`. The code is taken out of the address before anything else happens, so that it
 * stays neither in the history nor on the screen, and is exchanged for a session once.
 */
import { useNavigate } from "@tanstack/react-router";
import { useEffect, useState } from "react";
import { api, done } from "~/api/client";
import { RequestError } from "~/api/problem";
import { sessionQuery } from "~/api/queries";
import { queryClient } from "~/app/services";
import { useT } from "~/i18n";
import { paths } from "~/lib/paths";
import { Button } from "~/ui/controls";
import { Centered, Command, problemText } from "~/ui/feedback";
import { Logo } from "~/ui/icons";
import { linkCommand } from "./signed-out";

export function StartPage() {
  const t = useT();
  const navigate = useNavigate();
  const [error, setError] = useState<unknown>();
  const [tries, setTries] = useState(0);
  // biome-ignore lint/correctness/useExhaustiveDependencies: runs once for each try
  useEffect(() => {
    let current = true;
    exchange().then(
      () => current && void navigate({ ...paths.overview(), replace: true }),
      (cause: unknown) => current && setError(cause),
    );
    return () => {
      current = false;
    };
  }, [tries]);
  if (error === undefined) return <Centered>{t("start.working")}</Centered>;
  const used = error instanceof RequestError && error.problem !== undefined;
  return (
    <Centered>
      <Logo />
      <h1>{t(used ? "start.refused" : "start.unreachable")}</h1>
      <p>{used ? t("start.once") : problemText(error, t)}</p>
      {used ? (
        <>
          <p>{t("start.again")}</p>
          <Command>{linkCommand}</Command>
        </>
      ) : (
        <Button
          look="primary"
          onClick={() => {
            setError(undefined);
            setTries(tries + 1);
          }}
        >
          {t("action.retry")}
        </Button>
      )}
    </Centered>
  );
}

let pending: Promise<void> | undefined;

/** The same exchange for everyone who asks until it has failed: a code works once. */
function exchange(): Promise<void> {
  const code = takeCode();
  pending ??= (async () => {
    if (code !== "") {
      await done(api.POST("/api/v1/session", { body: { code } }));
      await queryClient.invalidateQueries({ queryKey: sessionQuery.queryKey });
    } else await queryClient.fetchQuery({ ...sessionQuery, staleTime: 0 });
  })().catch((cause: unknown) => {
    pending = undefined;
    throw cause;
  });
  return pending;
}

/** The code that came with the address; kept in memory for a second try when the server could not be reached. */
let kept = "";

function takeCode(): string {
  const code = decodeURIComponent(location.hash.slice(1));
  if (code !== "") {
    kept = code;
    history.replaceState(history.state, "", location.pathname);
  }
  return kept;
}
