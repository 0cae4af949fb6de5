/** API tokens of the workspace: one's own, or those of all members for who may see them. A secret is shown once. */
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useSearch } from "@tanstack/react-router";
import { type Dispatch, type SetStateAction, useState } from "react";
import { api, dataOf, done } from "~/api/client";
import { tokensQuery } from "~/api/people";
import type { Token, TokenMade } from "~/api/schema";
import type { AppSearch } from "~/app/search";
import { Rich, useT } from "~/i18n";
import { useMay, useSession } from "~/session/session";
import { Button, Mark } from "~/ui/controls";
import type { Column } from "~/ui/data-table";
import { Command, Empty } from "~/ui/feedback";
import { Confirm } from "~/ui/form-dialog";
import { List } from "~/ui/list";
import { Moment } from "~/ui/moment";
import { SearchField, usePaging } from "~/ui/pages";
import { RowMenu } from "~/ui/row-menu";
import { SecretDialog } from "~/ui/secret";
import { SettingsFrame } from "../settings/settings-frame";
import { TokenDialog } from "./token-dialog";

type Open =
  | { kind: "create" }
  | { kind: "edit" | "rotate" | "revoke"; token: Token }
  | { kind: "secret"; made: TokenMade };

export function TokensPage() {
  const t = useT();
  const may = useMay();
  const [open, setOpen] = useState<Open>();
  const person = useSession()?.user != null;
  return (
    <SettingsFrame
      page="tokens"
      actions={
        <>
          <SearchField label={t("tokens.search")} />
          {person && may("tokens.own") && (
            <Button look="primary" onClick={() => setOpen({ kind: "create" })}>
              {t("tokens.create")}
            </Button>
          )}
        </>
      }
    >
      <Tokens onOpen={setOpen} />
      {open !== undefined && <Dialogs open={open} onOpen={setOpen} />}
    </SettingsFrame>
  );
}

function Tokens({ onOpen }: { onOpen: (open: Open) => void }) {
  const t = useT();
  const { q } = useSearch({ strict: false }) as AppSearch;
  const paging = usePaging(q ?? "");
  const query = useQuery(tokensQuery({ ...(q && { search: q }), ...(paging.cursor && { cursor: paging.cursor }) }));
  return (
    <List
      query={query}
      paging={paging}
      label={t("page.tokens")}
      name="tokens"
      columns={useColumns(onOpen)}
      rowKey={(row) => row.id}
      empty={q === undefined ? <NoTokens /> : <Empty title={t("list.noMatch")} />}
    />
  );
}

function useColumns(onOpen: (open: Open) => void): Column<Token>[] {
  const t = useT();
  return [
    { id: "name", header: t("list.name"), cell: (row) => row.name },
    { id: "hint", header: t("tokens.hint"), mono: true, width: 130, priority: 3, cell: (row) => `${row.hint}…` },
    { id: "owner", header: t("tokens.owner"), mono: true, width: 120, priority: 2, cell: (row) => row.owner_name },
    {
      id: "scopes",
      header: t("tokens.scopes"),
      mono: true,
      priority: 3,
      cell: (row) => <span title={row.scopes.join("\n")}>{row.scopes.join(", ")}</span>,
    },
    { id: "used", header: t("tokens.used"), width: 120, priority: 2, cell: (row) => <Used time={row.last_used} /> },
    { id: "expires", header: t("list.ends"), width: 130, cell: (row) => <Ends time={row.expires} /> },
    {
      id: "menu",
      header: t("list.actions"),
      width: 70,
      right: true,
      cell: (row) => (
        <RowMenu
          name={row.name}
          items={[
            { label: t("action.edit"), onSelect: () => onOpen({ kind: "edit", token: row }) },
            { label: t("tokens.rotate"), onSelect: () => onOpen({ kind: "rotate", token: row }) },
            { label: t("tokens.revoke"), onSelect: () => onOpen({ kind: "revoke", token: row }) },
          ]}
        />
      ),
    },
  ];
}

function Used({ time }: { time: string | null | undefined }) {
  const t = useT();
  return time == null ? t("tokens.never") : <Moment time={time} />;
}

function Ends({ time }: { time: string | null | undefined }) {
  const t = useT();
  if (time == null) return t("tokens.noEnd");
  if (Date.parse(time) > Date.now()) return <Moment time={time} />;
  return <Mark status="warning">{t("tokens.ended")}</Mark>;
}

function NoTokens() {
  const t = useT();
  return (
    <Empty title={t("tokens.none")}>
      <p>
        <Rich id="tokens.noneText" values={{ header: <code>Authorization: Bearer …</code> }} />
      </p>
      <Command>{`curl -H "Authorization: Bearer $TOKEN" ${location.origin}/api/v1/flows`}</Command>
    </Empty>
  );
}

function Dialogs({ open, onOpen }: { open: Open; onOpen: Dispatch<SetStateAction<Open | undefined>> }) {
  const t = useT();
  const client = useQueryClient();
  // A dialog that was replaced by the one with the secret closes nothing.
  const close = () => onOpen((current) => (current === open ? undefined : current));
  const renew = () => client.invalidateQueries({ queryKey: ["tokens"] });
  const show = (made: TokenMade) => {
    void renew();
    onOpen({ kind: "secret", made });
  };
  if (open.kind === "create") return <TokenDialog onMade={show} onClose={close} />;
  if (open.kind === "edit") return <TokenDialog token={open.token} onClose={close} />;
  if (open.kind === "secret") {
    return (
      <SecretDialog
        title={t("tokens.made", { name: open.made.token.name })}
        text={t("tokens.once")}
        label={t("tokens.secret")}
        secret={open.made.secret}
        onClose={close}
      />
    );
  }
  const { kind, token } = open;
  const params = { path: { token: token.id } };
  if (kind === "rotate") {
    return (
      <Confirm
        title={t("tokens.rotateTitle", { name: token.name })}
        text={t("tokens.rotateText")}
        submit={t("tokens.rotate")}
        onClose={close}
        onSubmit={async () => show(await dataOf(api.POST("/api/v1/tokens/{token}/rotate", { params })))}
      />
    );
  }
  return (
    <Confirm
      title={t("tokens.revokeTitle", { name: token.name })}
      text={t("tokens.revokeText")}
      submit={t("tokens.revoke")}
      onClose={close}
      onSubmit={async () => {
        await done(api.DELETE("/api/v1/tokens/{token}", { params }));
        await renew();
      }}
    />
  );
}
