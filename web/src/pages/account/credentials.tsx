/** Passkeys and accounts at identity providers, where there are any. */
import type { Account } from "~/api/schema";
import { useT } from "~/i18n";
import { Moment } from "~/ui/moment";
import { Row } from "../settings/row";

const shown = ["passkey", "external"] as const;

export function Credentials({ account }: { account: Account }) {
  const t = useT();
  return account.credentials.map((credential) => {
    const kind = shown.find((one) => one === credential.kind);
    if (kind === undefined) return null;
    return (
      <Row key={credential.id} title={t(`account.kind.${kind}`)} text={credential.name}>
        <Moment time={credential.last_used ?? credential.created} />
      </Row>
    );
  });
}
