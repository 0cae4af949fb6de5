/** Makes a custom role, or changes one. */
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { api, dataOf } from "~/api/client";
import { roleQuery } from "~/api/people";
import { sessionQuery } from "~/api/queries";
import type { Role } from "~/api/schema";
import { ifMatch } from "~/api/tagged";
import { useT } from "~/i18n";
import { errorOf, TextField } from "~/ui/form";
import { FormDialog } from "~/ui/form-dialog";
import { PermissionsField } from "./permissions-field";

export function RoleDialog({ role, onClose }: { role?: Role; onClose: () => void }) {
  const t = useT();
  const client = useQueryClient();
  const { data: current } = useQuery({ ...roleQuery(role?.id ?? ""), enabled: role !== undefined });
  const [name, setName] = useState(role?.name ?? "");
  const [permissions, setPermissions] = useState<string[]>(role?.permissions ?? []);
  const save = async () => {
    const body = { name: name.trim(), permissions };
    if (role === undefined) await dataOf(api.POST("/api/v1/roles", { body }));
    else if (current !== undefined) {
      const params = { path: { role: role.id } };
      await dataOf(api.PATCH("/api/v1/roles/{role}", { params, body, ...ifMatch(current.tag) }));
    }
    await Promise.all([
      client.invalidateQueries({ queryKey: ["roles"] }),
      client.invalidateQueries({ queryKey: ["role"] }),
      client.invalidateQueries({ queryKey: sessionQuery.queryKey }),
    ]);
  };
  return (
    <FormDialog
      title={role === undefined ? t("roles.create") : t("roles.editTitle", { name: role.name })}
      submit={t(role === undefined ? "roles.create" : "action.save")}
      disabled={name.trim() === "" || (role !== undefined && current === undefined)}
      fields={["name", "permissions"]}
      onSubmit={save}
      onClose={onClose}
    >
      {(error) => (
        <>
          <TextField
            label={t("list.name")}
            first
            required
            maxLength={100}
            value={name}
            error={errorOf(error, "name")}
            onChange={setName}
          />
          <PermissionsField
            label={t("roles.permissions")}
            value={permissions}
            error={errorOf(error, "permissions")}
            onChange={setPermissions}
          />
        </>
      )}
    </FormDialog>
  );
}
