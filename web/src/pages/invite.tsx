/** Where an invitation leads: `/invite#CODE`. Who has an account joins with it; who has none makes one. */
import { useMutation, useQuery } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { useState } from "react";
import { api, dataOf, done } from "~/api/client";
import { RequestError } from "~/api/problem";
import { sessionQuery } from "~/api/queries";
import type { InvitationOffer, SessionUser } from "~/api/schema";
import { Rich, useT } from "~/i18n";
import { takeCode } from "~/lib/link-code";
import { paths } from "~/lib/paths";
import { useFormat } from "~/prefs/use-format";
import { useRoleName } from "~/session/role-name";
import { enter, signOut } from "~/session/session";
import { Button, Segmented } from "~/ui/controls";
import { ProblemBox, Skeleton } from "~/ui/feedback";
import { FormProblem } from "~/ui/form";
import { AccountForm } from "./sign-in/account-form";
import { Entry } from "./sign-in/entry";
import styles from "./sign-in/entry.module.css";
import { LinkGone } from "./sign-in/link-gone";
import { SecondFactor, type Ticket } from "./sign-in/second-factor";
import { PasswordForm } from "./sign-in/sign-in";

export function InvitePage() {
  const t = useT();
  const [code] = useState(takeCode);
  const { data: session } = useQuery(sessionQuery);
  const offer = useQuery({
    queryKey: ["offer", code],
    queryFn: () => dataOf(api.POST("/api/v1/invitation", { body: { code } })),
    enabled: code !== "",
    staleTime: Number.POSITIVE_INFINITY,
  });
  if (code === "" || (offer.error instanceof RequestError && offer.error.is("gone"))) return <LinkGone />;
  return (
    <Entry title={t("invite.title")}>
      {offer.error !== null && (
        <ProblemBox error={offer.error} subject={t("invite.title")} onRetry={() => void offer.refetch()} />
      )}
      {offer.data === undefined ? (
        offer.error === null && <Skeleton height={320} />
      ) : (
        <>
          <Offer offer={offer.data} />
          {session?.user == null ? (
            <NewComer code={code} offer={offer.data} />
          ) : (
            <Join code={code} user={session.user} />
          )}
        </>
      )}
    </Entry>
  );
}

function Offer({ offer }: { offer: InvitationOffer }) {
  const format = useFormat();
  const roleName = useRoleName();
  return (
    <p>
      <Rich
        id="invite.offer"
        values={{
          workspace: <strong>{offer.workspace}</strong>,
          role: <strong>{roleName(offer.role)}</strong>,
          end: format.moment(Date.parse(offer.expires)),
        }}
      />
    </p>
  );
}

function NewComer({ code, offer }: { code: string; offer: InvitationOffer }) {
  const t = useT();
  const navigate = useNavigate();
  const [way, setWay] = useState<"new" | "known">("new");
  const [ticket, setTicket] = useState<Ticket>();
  const arrive = async () => {
    await enter();
    await navigate(paths.overview());
  };
  const join = async () => {
    await joinWith(code);
    await arrive();
  };
  return (
    <>
      <Segmented
        label={t("invite.way")}
        value={way}
        options={[
          { value: "new", label: t("invite.new") },
          { value: "known", label: t("invite.known") },
        ]}
        onChange={setWay}
      />
      {way === "new" ? (
        <AccountForm
          submit={t("invite.accept")}
          onSubmit={async ({ name, display_name, password }) => {
            const body = { code, name, display_name, password };
            await dataOf(api.POST("/api/v1/invitation/accept", { body }));
            await arrive();
          }}
        />
      ) : ticket === undefined ? (
        <PasswordForm onIn={join} onSecondFactor={setTicket} />
      ) : (
        <SecondFactor ticket={ticket} onIn={join} onAgain={() => setTicket(undefined)} />
      )}
      {offer.email != null && <p>{t("invite.for", { email: offer.email })}</p>}
    </>
  );
}

function Join({ code, user }: { code: string; user: SessionUser }) {
  const t = useT();
  const navigate = useNavigate();
  const join = useMutation({
    mutationFn: () => joinWith(code),
    onSuccess: async () => {
      await enter();
      await navigate(paths.overview());
    },
  });
  return (
    <div className={styles.form}>
      <FormProblem error={join.error} subject={t("invite.title")} />
      <Button look="primary" disabled={join.isPending} onClick={() => join.mutate()}>
        {t("invite.joinAs", { name: user.display_name })}
      </Button>
      <Button onClick={() => void signOut()}>{t("invite.other")}</Button>
    </div>
  );
}

function joinWith(code: string): Promise<void> {
  return done(api.POST("/api/v1/account/invitation", { body: { code } }));
}
