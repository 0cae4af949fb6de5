/** The frame around every page, and the gate in front of it: without a session there is only the page to sign in. */
import { useQuery } from "@tanstack/react-query";
import { Outlet, useLocation } from "@tanstack/react-router";
import { useEffect, useState, useSyncExternalStore } from "react";
import { RequestError } from "~/api/problem";
import { sessionQuery } from "~/api/queries";
import { stream } from "~/app/services";
import { useT } from "~/i18n";
import { SignIn } from "~/pages/sign-in/sign-in";
import { useStream } from "~/session/use-stream";
import { noteServerTime } from "~/time/clock";
import { Button } from "~/ui/controls";
import { Fence, ProblemBox } from "~/ui/feedback";
import { FileBanner } from "./file-banner";
import styles from "./frame.module.css";
import { Palette } from "./palette";
import { Rail } from "./rail";
import { Shortcuts, useShortcuts } from "./shortcuts";
import { TopBar } from "./top-bar";

export function Frame() {
  const session = useQuery(sessionQuery);
  const signedOut = session.error instanceof RequestError && session.error.is("unauthenticated");
  useStream(signedOut, session.data);
  useHeartbeat();
  return signedOut ? <SignIn /> : <SignedIn />;
}

/** Once a second something comes over the stream whatever the page shows: the age of the data and the server's clock stay known. */
function useHeartbeat(): void {
  useEffect(
    () =>
      stream.subscribe({
        topic: { name: "statistics" },
        interval: 1000,
        onFrame: ({ time }) => noteServerTime(time),
      }),
    [],
  );
}

function SignedIn() {
  const t = useT();
  const { pathname } = useLocation();
  const [dialog, setDialog] = useState<"palette" | "help">();
  useShortcuts({ palette: () => setDialog("palette"), help: () => setDialog("help") });
  return (
    <div className={styles.frame}>
      <a href="#content" className={styles.skip}>
        {t("frame.skip")}
      </a>
      <Rail />
      <TopBar onSearch={() => setDialog("palette")} />
      <main id="content" tabIndex={-1} className={styles.main}>
        <ConnectionBanner />
        <FileBanner />
        <Fence
          key={pathname}
          fallback={(error, reset) => <ProblemBox error={error} subject={t("problem.page")} onRetry={reset} />}
        >
          <Outlet />
        </Fence>
      </main>
      {dialog === "palette" && <Palette onClose={() => setDialog(undefined)} onShortcuts={() => setDialog("help")} />}
      {dialog === "help" && <Shortcuts onClose={() => setDialog(undefined)} />}
    </div>
  );
}

/** Shown while the stream is broken for more than a moment: what is seen is old, and what is being done about it. */
function ConnectionBanner() {
  const t = useT();
  const { phase, retryAt } = useSyncExternalStore(stream.onState, stream.state);
  const [patient, setPatient] = useState(false);
  const [left, setLeft] = useState(0);
  const broken = phase === "waiting" || phase === "connecting";
  useEffect(() => {
    if (!broken) {
      setPatient(false);
      return;
    }
    const timer = setTimeout(() => setPatient(true), 1500);
    return () => clearTimeout(timer);
  }, [broken]);
  useEffect(() => {
    if (retryAt === undefined) return;
    const update = () => setLeft(Math.max(0, Math.ceil((retryAt - Date.now()) / 1000)));
    update();
    const timer = setInterval(update, 500);
    return () => clearInterval(timer);
  }, [retryAt]);
  if (!broken || !patient) return null;
  return (
    <div role="status" className={styles.banner}>
      <span>{phase === "waiting" ? t("connection.waiting", { n: left }) : t("connection.connecting")}</span>
      <Button onClick={() => stream.retryNow()}>{t("connection.retry")}</Button>
    </div>
  );
}
