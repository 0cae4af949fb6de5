/** Members of the workspace and open invitations. */
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useSearch } from "@tanstack/react-router";
import { useState } from "react";
import { api, done } from "~/api/client";
import { invitationsQuery, membersQuery } from "~/api/people";
import type { Member, MemberInvitation } from "~/api/schema";
import type { AppSearch } from "~/app/search";
import { useT } from "~/i18n";
import { useRoleName } from "~/session/role-name";
import { enter, useMay, useSession } from "~/session/session";
import { Button, Mark } from "~/ui/controls";
import type { Column } from "~/ui/data-table";
import { Dialog } from "~/ui/dialog";
import dialog from "~/ui/dialog.module.css";
import { Empty } from "~/ui/feedback";
import { Confirm } from "~/ui/form-dialog";
import { List } from "~/ui/list";
import { ManagedBy } from "~/ui/managed-by";
import { Moment } from "~/ui/moment";
import { Hint, Section } from "~/ui/page";
import { SearchField, usePaging } from "~/ui/pages";
import { RowMenu } from "~/ui/row-menu";
import { SettingsFrame } from "../settings/settings-frame";
import { InviteForm } from "./invite-form";
import { MemberRoleDialog } from "./member-role-dialog";

type Open = { kind: "invite" } | { kind: "role" | "remove"; member: Member };

export function MembersPage() {
  const t = useT();
  const may = useMay();
  const [open, setOpen] = useState<Open>();
  const close = () => setOpen(undefined);
  return (
    <SettingsFrame
      page="members"
      actions={
        <>
          <SearchField label={t("members.search")} />
          {may("members.write") && (
            <Button look="primary" onClick={() => setOpen({ kind: "invite" })}>
              {t("members.invite")}
            </Button>
          )}
        </>
      }
    >
      <Members onOpen={setOpen} />
      {may("members.read") && <Invitations />}
      {open?.kind === "invite" && <InviteDialog onClose={close} />}
      {open?.kind === "role" && <MemberRoleDialog member={open.member} onClose={close} />}
      {open?.kind === "remove" && <RemoveDialog member={open.member} onClose={close} />}
    </SettingsFrame>
  );
}

function Members({ onOpen }: { onOpen: (open: Open) => void }) {
  const t = useT();
  const may = useMay();
  const roleName = useRoleName();
  const self = useSession()?.user?.id;
  const { q } = useSearch({ strict: false }) as AppSearch;
  const paging = usePaging(q ?? "");
  const query = useQuery(membersQuery({ ...(q && { search: q }), ...(paging.cursor && { cursor: paging.cursor }) }));
  const columns: Column<Member>[] = [
    {
      id: "name",
      header: t("account.name"),
      mono: true,
      cell: (row) => (
        <>
          {row.name} {row.user === self && <Hint>{t("members.you")}</Hint>}
        </>
      ),
    },
    { id: "shown", header: t("account.displayName"), priority: 2, cell: (row) => row.display_name },
    { id: "role", header: t("role.label"), width: 150, cell: (row) => roleName(row.role_name) },
    {
      id: "state",
      header: t("column.state"),
      width: 120,
      priority: 2,
      cell: (row) => (
        <Mark status={row.disabled ? "paused" : "ok"}>{t(row.disabled ? "users.disabled" : "users.active")}</Mark>
      ),
    },
    { id: "since", header: t("members.since"), width: 120, priority: 3, cell: (row) => <Moment time={row.since} /> },
    {
      id: "menu",
      header: t("list.actions"),
      width: 90,
      right: true,
      cell: (row) =>
        row.managed_by != null ? (
          <ManagedBy file={row.managed_by} />
        ) : (
          may("members.write") && (
            <RowMenu
              name={row.name}
              items={[
                { label: t("members.changeRole"), onSelect: () => onOpen({ kind: "role", member: row }) },
                {
                  label: t(row.user === self ? "members.leave" : "members.remove"),
                  onSelect: () => onOpen({ kind: "remove", member: row }),
                },
              ]}
            />
          )
        ),
    },
  ];
  return (
    <List
      query={query}
      paging={paging}
      label={t("page.members")}
      name="members"
      columns={columns}
      rowKey={(row) => row.user}
      empty={<Empty title={t("list.noMatch")} />}
    />
  );
}

function InviteDialog({ onClose }: { onClose: () => void }) {
  const t = useT();
  return (
    <Dialog label={t("members.invite")} onClose={onClose}>
      <div className={dialog.form}>
        <h2>{t("members.invite")}</h2>
        <p>{t("invite.text")}</p>
        <InviteForm />
        <div className={dialog.foot}>
          <Button onClick={onClose}>{t("action.close")}</Button>
        </div>
      </div>
    </Dialog>
  );
}

function RemoveDialog({ member, onClose }: { member: Member; onClose: () => void }) {
  const t = useT();
  const client = useQueryClient();
  const self = useSession()?.user?.id === member.user;
  return (
    <Confirm
      title={t(self ? "members.leaveTitle" : "members.removeTitle", { name: member.name })}
      text={t("members.removeText")}
      submit={t(self ? "members.leave" : "members.remove")}
      onClose={onClose}
      onSubmit={async () => {
        await done(api.DELETE("/api/v1/members/{user}", { params: { path: { user: member.user } } }));
        if (self) await enter();
        else await client.invalidateQueries({ queryKey: ["members"] });
      }}
    />
  );
}

function Invitations() {
  const t = useT();
  const may = useMay();
  const roleName = useRoleName();
  const client = useQueryClient();
  const paging = usePaging("");
  const query = useQuery(invitationsQuery(paging.cursor ? { cursor: paging.cursor } : {}));
  const [revoked, setRevoked] = useState<MemberInvitation>();
  const columns: Column<MemberInvitation>[] = [
    { id: "email", header: t("invite.whom"), cell: (row) => row.email ?? t("invite.anybody") },
    { id: "role", header: t("role.label"), width: 150, cell: (row) => roleName(row.role_name) },
    { id: "created", header: t("list.made"), width: 120, priority: 3, cell: (row) => <Moment time={row.created} /> },
    { id: "expires", header: t("list.ends"), width: 120, priority: 2, cell: (row) => <Moment time={row.expires} /> },
    {
      id: "menu",
      header: t("list.actions"),
      width: 90,
      right: true,
      cell: (row) =>
        may("members.write") && (
          <RowMenu
            name={row.email ?? t("invite.anybody")}
            items={[{ label: t("invite.revoke"), onSelect: () => setRevoked(row) }]}
          />
        ),
    },
  ];
  if (query.data?.items.length === 0 && paging.cursor === undefined) return null;
  return (
    <Section title={t("invite.open")}>
      <List
        query={query}
        paging={paging}
        label={t("invite.open")}
        name="invitations"
        columns={columns}
        rowKey={(row) => row.id}
        empty={null}
      />
      {revoked !== undefined && (
        <Confirm
          title={t("invite.revokeTitle")}
          text={t("invite.revokeText")}
          submit={t("invite.revoke")}
          onClose={() => setRevoked(undefined)}
          onSubmit={async () => {
            const params = { path: { invitation: revoked.id } };
            await done(api.DELETE("/api/v1/invitations/{invitation}", { params }));
            await client.invalidateQueries({ queryKey: ["invitations"] });
          }}
        />
      )}
    </Section>
  );
}
