/** Roles: the four that every workspace has, and those that it made as a set of permissions. */
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { api, done } from "~/api/client";
import { permissionsQuery, rolesQuery } from "~/api/people";
import type { Role } from "~/api/schema";
import { useT } from "~/i18n";
import { useRoleName } from "~/session/role-name";
import { useMay } from "~/session/session";
import { Button } from "~/ui/controls";
import type { Column } from "~/ui/data-table";
import { Confirm } from "~/ui/form-dialog";
import { List } from "~/ui/list";
import { ManagedBy } from "~/ui/managed-by";
import { Hint, Section } from "~/ui/page";
import { RowMenu } from "~/ui/row-menu";
import { SettingsFrame } from "../settings/settings-frame";
import { PermissionMatrix } from "./permission-matrix";
import { RoleDialog } from "./role-dialog";

type Open = { kind: "create" } | { kind: "edit" | "delete"; role: Role };

export function RolesPage() {
  const t = useT();
  const may = useMay();
  const client = useQueryClient();
  const roleName = useRoleName();
  const query = useQuery(rolesQuery);
  const table = useQuery(permissionsQuery).data?.items ?? [];
  const [open, setOpen] = useState<Open>();
  const close = () => setOpen(undefined);
  const nameOf = (role: Role) => (role.built_in ? roleName(role.id) : role.name);
  const columns: Column<Role>[] = [
    { id: "name", header: t("role.label"), cell: nameOf },
    {
      id: "kind",
      header: t("roles.kind"),
      width: 140,
      priority: 2,
      cell: (row) => <Hint>{t(row.built_in ? "roles.builtIn" : "roles.own")}</Hint>,
    },
    {
      id: "count",
      header: t("roles.permissions"),
      width: 130,
      right: true,
      cell: (row) => row.permissions.length,
    },
    {
      id: "menu",
      header: t("list.actions"),
      width: 90,
      right: true,
      cell: (row) =>
        row.managed_by != null ? (
          <ManagedBy file={row.managed_by} />
        ) : (
          !row.built_in &&
          may("roles.write") && (
            <RowMenu
              name={row.name}
              items={[
                { label: t("action.edit"), onSelect: () => setOpen({ kind: "edit", role: row }) },
                { label: t("action.delete"), onSelect: () => setOpen({ kind: "delete", role: row }) },
              ]}
            />
          )
        ),
    },
  ];
  return (
    <SettingsFrame
      page="roles"
      actions={
        may("roles.write") && (
          <Button look="primary" onClick={() => setOpen({ kind: "create" })}>
            {t("roles.create")}
          </Button>
        )
      }
    >
      <List
        query={query}
        label={t("page.roles")}
        name="roles"
        columns={columns}
        rowKey={(row) => row.id}
        empty={null}
      />
      <Section title={t("roles.table")}>
        <PermissionMatrix table={table} roles={query.data?.items ?? []} nameOf={nameOf} />
      </Section>
      {open?.kind === "create" && <RoleDialog onClose={close} />}
      {open?.kind === "edit" && <RoleDialog role={open.role} onClose={close} />}
      {open?.kind === "delete" && (
        <Confirm
          title={t("roles.deleteTitle", { name: open.role.name })}
          text={t("roles.deleteText")}
          submit={t("action.delete")}
          onClose={close}
          onSubmit={async () => {
            await done(api.DELETE("/api/v1/roles/{role}", { params: { path: { role: open.role.id } } }));
            await client.invalidateQueries({ queryKey: ["roles"] });
          }}
        />
      )}
    </SettingsFrame>
  );
}
