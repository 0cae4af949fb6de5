/** The set-up after the first administrator: what is captured, whether traffic arrives, who else comes. Each step can be left out. */
import { useQuery } from "@tanstack/react-query";
import { Link, Navigate, useNavigate, useSearch } from "@tanstack/react-router";
import { RequestError } from "~/api/problem";
import { interfacesQuery, sessionQuery } from "~/api/queries";
import type { AppSearch } from "~/app/search";
import { RatesChart } from "~/charts/rates-chart";
import { useRates } from "~/charts/source";
import { Rich, useT } from "~/i18n";
import { paths } from "~/lib/paths";
import { CaptureHelp, Interfaces } from "~/pages/health/interfaces";
import { InviteForm } from "~/pages/people/invite-form";
import { useStream } from "~/session/use-stream";
import { useTime } from "~/time/time";
import { Button, buttonClass, Mark } from "~/ui/controls";
import { Command } from "~/ui/feedback";
import { Entry } from "../sign-in/entry";
import { Steps } from "./steps";
import styles from "./welcome.module.css";

export function WelcomePage() {
  const session = useQuery(sessionQuery);
  const signedOut = session.error instanceof RequestError && session.error.is("unauthenticated");
  const { step = "interfaces" } = useSearch({ strict: false }) as AppSearch;
  useStream(signedOut, session.data);
  if (signedOut) return <Navigate {...paths.overview()} replace />;
  if (step === "interfaces") return <Sources />;
  return step === "traffic" ? <Traffic /> : <Invite />;
}

function Sources() {
  const t = useT();
  return (
    <Entry title={t("setUp.step.interfaces")} wide>
      <Steps current="interfaces" />
      <p>{t("setUp.interfacesText")}</p>
      <Interfaces brief />
      <p>{t("setUp.interfacesChange")}</p>
      <Command>netwatch interfaces</Command>
      <Command>netwatch up --interface NAME</Command>
      <Way next="traffic" />
    </Entry>
  );
}

function Traffic() {
  const t = useT();
  const source = useRates({ by: "direction" }, useTime());
  const items = useQuery(interfacesQuery).data?.items ?? [];
  const arrives = items.some(({ frames }) => frames > 0);
  return (
    <Entry title={t("setUp.step.traffic")} wide>
      <Steps current="traffic" />
      <p role="status">
        <Mark status={arrives ? "ok" : "unknown"}>{t(arrives ? "setUp.arrives" : "setUp.waiting")}</Mark>
      </p>
      <RatesChart source={source} label={t("overview.chart")} height={172} limit={2} legend={false} />
      {!arrives && (
        <>
          <CaptureHelp items={items} />
          <p>
            <Rich id="setUp.waitingText" values={{ names: <code>{items.map(({ name }) => name).join(", ")}</code> }} />
          </p>
        </>
      )}
      <Way next="invite" />
    </Entry>
  );
}

function Invite() {
  const t = useT();
  return (
    <Entry title={t("setUp.step.invite")} wide>
      <Steps current="invite" />
      <p>{t("setUp.inviteText")}</p>
      <InviteForm />
      <div className={styles.way}>
        <Link {...paths.overview()} className={buttonClass(true)}>
          {t("setUp.finish")}
        </Link>
      </div>
    </Entry>
  );
}

function Way({ next }: { next: "traffic" | "invite" }) {
  const t = useT();
  const navigate = useNavigate();
  return (
    <div className={styles.way}>
      <Link {...paths.overview()}>{t("setUp.skip")}</Link>
      <Button look="primary" onClick={() => void navigate(paths.welcome(next))}>
        {t("setUp.next")}
      </Button>
    </div>
  );
}
