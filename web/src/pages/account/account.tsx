/** One's own account: how one is shown, how one signs in, and where one is signed in. */
import { useQuery } from "@tanstack/react-query";
import { accountQuery } from "~/api/people";
import { useT } from "~/i18n";
import { ProblemBox, Skeleton } from "~/ui/feedback";
import { Section } from "~/ui/page";
import settings from "../settings/settings.module.css";
import { SettingsFrame } from "../settings/settings-frame";
import { Credentials } from "./credentials";
import { Passkeys } from "./passkeys";
import { Password } from "./password";
import { Profile } from "./profile";
import { Sessions } from "./sessions";
import { TotpRow } from "./totp";

export function AccountPage() {
  return (
    <SettingsFrame page="account">
      <Account />
    </SettingsFrame>
  );
}

function Account() {
  const t = useT();
  const { data, error, refetch } = useQuery(accountQuery);
  if (data === undefined) {
    if (error === null) return <Skeleton height={320} />;
    return <ProblemBox error={error} subject={t("page.account")} onRetry={() => void refetch()} />;
  }
  return (
    <div className={settings.rows}>
      <Section title={t("account.profile")}>
        <Profile key={`${data.user.display_name}/${data.email}`} account={data} />
      </Section>
      <Section title={t("account.signIn")}>
        <Password account={data} />
        <TotpRow account={data} />
        <Passkeys account={data} />
        <Credentials account={data} />
      </Section>
      <Section title={t("account.sessions")}>
        <Sessions />
      </Section>
    </div>
  );
}
