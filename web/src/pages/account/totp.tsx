/** One-time passwords of an authenticator app: on in three steps (password, QR code and recovery codes, first code), and off. */
import { useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { api, dataOf, done } from "~/api/client";
import { sessionQuery } from "~/api/queries";
import type { Account, TotpEnrolment } from "~/api/schema";
import { useT } from "~/i18n";
import { Button, Mark } from "~/ui/controls";
import { errorOf, TextField } from "~/ui/form";
import { FormDialog } from "~/ui/form-dialog";
import { QrCode } from "~/ui/qr";
import { CopyButton, Secret } from "~/ui/secret";
import { Row } from "../settings/row";
import styles from "./account.module.css";
import { CurrentPassword } from "./password";

type Step = "prove" | "off" | TotpEnrolment;

export function TotpRow({ account }: { account: Account }) {
  const t = useT();
  const [step, setStep] = useState<Step>();
  const on = account.user.has_second_factor;
  const close = () => setStep(undefined);
  // The dialog of the proof also closes when the next one has taken its place.
  const closeProof = () => setStep((current) => (current === "prove" ? undefined : current));
  return (
    <Row title={t("totp.title")} text={on ? t("totp.left", { n: account.recovery_codes_left ?? 0 }) : t("totp.text")}>
      <Mark status={on ? "ok" : "silent"}>{t(on ? "totp.on" : "totp.off")}</Mark>
      <Button onClick={() => setStep(on ? "off" : "prove")}>{t(on ? "totp.switchOff" : "totp.switchOn")}</Button>
      {step === "prove" && <Prove account={account} onNext={setStep} onClose={closeProof} />}
      {step === "off" && <SwitchOff account={account} onClose={close} />}
      {typeof step === "object" && <Enrol enrolment={step} onClose={close} />}
    </Row>
  );
}

type ProveProps = { account: Account; onNext: (enrolment: TotpEnrolment) => void; onClose: () => void };

function Prove({ account, onNext, onClose }: ProveProps) {
  const t = useT();
  const [password, setPassword] = useState("");
  const has = account.user.has_password;
  return (
    <FormDialog
      title={t("totp.switchOn")}
      submit={t("setUp.next")}
      disabled={has && password === ""}
      onClose={onClose}
      onSubmit={async () => {
        onNext(await dataOf(api.POST("/api/v1/account/totp", { body: { password: has ? password : null } })));
      }}
    >
      {() => (
        <>
          <p>{t(has ? "totp.prove" : "totp.proveFresh")}</p>
          {has && <CurrentPassword value={password} onChange={setPassword} />}
        </>
      )}
    </FormDialog>
  );
}

function Enrol({ enrolment, onClose }: { enrolment: TotpEnrolment; onClose: () => void }) {
  const t = useT();
  const renew = useRenew();
  const [code, setCode] = useState("");
  return (
    <FormDialog
      title={t("totp.title")}
      submit={t("totp.switchOn")}
      disabled={code.trim() === ""}
      fields={["code"]}
      onClose={onClose}
      onSubmit={async () => {
        await done(api.POST("/api/v1/account/totp/confirm", { body: { code: code.replace(/\s/g, "") } }));
        await renew();
      }}
    >
      {(error) => (
        <>
          <div className={styles.enrol}>
            <QrCode text={enrolment.url} label={t("totp.qr")} />
            <div>
              <p>{t("totp.scan")}</p>
              <Secret label={t("totp.key")}>{enrolment.key}</Secret>
            </div>
          </div>
          <p>{t("totp.recovery")}</p>
          <ul className={styles.codes} aria-label={t("totp.recoveryAll")}>
            {enrolment.recovery_codes.map((one) => (
              <li key={one}>
                <code>{one}</code>
              </li>
            ))}
          </ul>
          <div>
            <CopyButton text={enrolment.recovery_codes.join("\n")} />
          </div>
          <TextField
            label={t("signIn.code")}
            hint={t("totp.codeHint")}
            mono
            autoComplete="one-time-code"
            inputMode="numeric"
            maxLength={12}
            value={code}
            error={errorOf(error, "code")}
            onChange={setCode}
          />
        </>
      )}
    </FormDialog>
  );
}

function SwitchOff({ account, onClose }: { account: Account; onClose: () => void }) {
  const t = useT();
  const renew = useRenew();
  const [password, setPassword] = useState("");
  const has = account.user.has_password;
  return (
    <FormDialog
      title={t("totp.switchOff")}
      submit={t("totp.switchOff")}
      danger
      disabled={has && password === ""}
      onClose={onClose}
      onSubmit={async () => {
        await done(api.DELETE("/api/v1/account/totp", { body: { password: has ? password : null } }));
        await renew();
      }}
    >
      {() => (
        <>
          <p>{t("totp.offText")}</p>
          {has && <CurrentPassword value={password} onChange={setPassword} />}
        </>
      )}
    </FormDialog>
  );
}

function useRenew(): () => Promise<void> {
  const client = useQueryClient();
  return async () => {
    await client.invalidateQueries({ queryKey: ["account"] });
    await client.invalidateQueries({ queryKey: sessionQuery.queryKey });
  };
}
