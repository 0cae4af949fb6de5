/** Accounts at identity providers, where there are any. */
import type { Account } from "~/api/schema";
import { useT } from "~/i18n";
import { Moment } from "~/ui/moment";
import { Row } from "../settings/row";

export function Credentials({ account }: { account: Account }) {
  const t = useT();
  const external = account.credentials.filter(({ kind }) => kind === "external");
  return external.map((credential) => (
    <Row key={credential.id} title={t("account.external")} text={credential.name}>
      <Moment time={credential.last_used ?? credential.created} />
    </Row>
  ));
}
