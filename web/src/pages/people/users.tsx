/** Everybody of the installation, for site administrators; a row opens its panel. */
import { useQuery } from "@tanstack/react-query";
import { useNavigate, useSearch } from "@tanstack/react-router";
import { useState } from "react";
import { usersQuery } from "~/api/people";
import type { User } from "~/api/schema";
import type { AppSearch } from "~/app/search";
import { useT } from "~/i18n";
import { Button, Mark } from "~/ui/controls";
import type { Column } from "~/ui/data-table";
import { Empty } from "~/ui/feedback";
import { List } from "~/ui/list";
import { Moment } from "~/ui/moment";
import { SearchField, usePaging } from "~/ui/pages";
import { SettingsFrame } from "../settings/settings-frame";
import { UserDialog } from "./user-dialog";
import { UserPanel } from "./user-panel";

export function UsersPage() {
  const t = useT();
  const [making, setMaking] = useState(false);
  return (
    <SettingsFrame
      page="users"
      actions={
        <>
          <SearchField label={t("users.search")} />
          <Button look="primary" onClick={() => setMaking(true)}>
            {t("users.create")}
          </Button>
        </>
      }
    >
      <Users />
      {making && <UserDialog onClose={() => setMaking(false)} />}
    </SettingsFrame>
  );
}

function Users() {
  const t = useT();
  const navigate = useNavigate();
  const { q, user } = useSearch({ strict: false }) as AppSearch;
  const paging = usePaging(q ?? "");
  const query = useQuery(usersQuery({ ...(q && { search: q }), ...(paging.cursor && { cursor: paging.cursor }) }));
  const open = (id: string | undefined) =>
    void navigate({ to: ".", search: (previous: AppSearch) => ({ ...previous, user: id }), replace: true });
  return (
    <>
      <List
        query={query}
        paging={paging}
        label={t("page.users")}
        name="users"
        columns={useColumns()}
        rowKey={(row) => row.id}
        onOpen={(row) => open(row.id)}
        selected={user}
        empty={<Empty title={t("list.noMatch")} />}
      />
      {user !== undefined && <UserPanel key={user} id={user} onClose={() => open(undefined)} />}
    </>
  );
}

function useColumns(): Column<User>[] {
  const t = useT();
  return [
    { id: "name", header: t("account.name"), mono: true, cell: (row) => row.name },
    { id: "shown", header: t("account.displayName"), priority: 2, cell: (row) => row.display_name },
    { id: "email", header: t("account.email"), priority: 3, cell: (row) => row.email ?? "–" },
    {
      id: "state",
      header: t("column.state"),
      width: 120,
      cell: (row) => (
        <Mark status={row.disabled ? "paused" : "ok"}>{t(row.disabled ? "users.disabled" : "users.active")}</Mark>
      ),
    },
    {
      id: "site",
      header: t("users.site"),
      width: 150,
      priority: 2,
      cell: (row) => (row.site_administrator ? t("flow.yes") : "–"),
    },
    {
      id: "workspaces",
      header: t("page.workspaces"),
      width: 110,
      right: true,
      priority: 3,
      cell: (row) => row.workspaces,
    },
    {
      id: "last",
      header: t("users.lastSignIn"),
      width: 140,
      priority: 2,
      cell: (row) => (row.last_sign_in == null ? t("tokens.never") : <Moment time={row.last_sign_in} />),
    },
  ];
}
