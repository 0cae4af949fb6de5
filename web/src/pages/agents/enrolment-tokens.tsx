/** Enrolment tokens that nobody has used yet: for whom, until when, and a way to revoke each. Nothing when there is none. */
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { agentsRefresh, enrolmentTokensQuery, revokeEnrolmentToken } from "~/api/agents";
import type { EnrolmentToken } from "~/api/schema";
import { useT } from "~/i18n";
import type { Column } from "~/ui/data-table";
import { Confirm } from "~/ui/form-dialog";
import { List } from "~/ui/list";
import { Moment } from "~/ui/moment";
import { Section } from "~/ui/page";
import { usePaging } from "~/ui/pages";
import { RowMenu } from "~/ui/row-menu";
import { LabelTags } from "./agent-state";
import { EndsIn } from "./ends-in";

export function EnrolmentTokens() {
  const t = useT();
  const client = useQueryClient();
  const [revoked, setRevoked] = useState<EnrolmentToken>();
  const paging = usePaging("tokens");
  const query = useQuery({
    ...enrolmentTokensQuery(paging.cursor === undefined ? {} : { cursor: paging.cursor }),
    refetchInterval: agentsRefresh,
  });
  const nameOf = (token: EnrolmentToken) => token.name ?? t("agents.unnamed");
  const columns: Column<EnrolmentToken>[] = [
    { id: "name", header: t("list.name"), cell: nameOf },
    { id: "labels", header: t("agents.labels"), priority: 2, cell: (row) => <LabelTags labels={row.labels} /> },
    { id: "group", header: t("agents.group"), width: 120, priority: 3, cell: (row) => row.group ?? "–" },
    { id: "made", header: t("list.made"), width: 120, priority: 2, cell: (row) => <Moment time={row.created} /> },
    { id: "ends", header: t("list.ends"), width: 130, cell: (row) => <EndsIn time={row.expires} /> },
    {
      id: "menu",
      header: t("list.actions"),
      width: 70,
      right: true,
      cell: (row) => (
        <RowMenu name={nameOf(row)} items={[{ label: t("tokens.revoke"), onSelect: () => setRevoked(row) }]} />
      ),
    },
  ];
  const none = query.data === undefined ? query.error === null : query.data.items.length === 0;
  if (none && paging.back === undefined) return null;
  return (
    <Section title={t("agents.tokens")} hint={t("agents.tokensHint")}>
      <List
        query={query}
        paging={paging}
        label={t("agents.tokens")}
        name="agent-tokens"
        columns={columns}
        rowKey={(row) => row.id}
        empty={null}
      />
      {revoked !== undefined && (
        <Confirm
          title={t("tokens.revokeTitle", { name: nameOf(revoked) })}
          text={t("agents.revokeText")}
          submit={t("tokens.revoke")}
          onClose={() => setRevoked(undefined)}
          onSubmit={async () => {
            await revokeEnrolmentToken(revoked.id);
            await client.invalidateQueries({ queryKey: ["agents", "tokens"] });
          }}
        />
      )}
    </Section>
  );
}
