/** A choice of the roles that one may give: those that allow no more than one's own. */
import { useQuery } from "@tanstack/react-query";
import { rolesQuery } from "~/api/people";
import type { Role } from "~/api/schema";
import { useT } from "~/i18n";
import { useRoleName } from "~/session/role-name";
import { useSession } from "~/session/session";
import { SelectField } from "~/ui/form";

type RoleFieldProps = { value: string; error?: string | undefined; onChange: (role: string) => void };

export function RoleField({ value, error, onChange }: RoleFieldProps) {
  const t = useT();
  const roleName = useRoleName();
  const own = useSession()?.permissions ?? [];
  const roles = useQuery(rolesQuery).data?.items ?? [];
  const shown = roles.filter((role) => role.id === value || isWithin(role, own));
  const chosen = roles.find(({ id }) => id === value);
  return (
    <SelectField
      label={t("role.label")}
      hint={chosen && t("role.allows", { n: chosen.permissions.length })}
      error={error}
      value={value}
      options={shown.map((role) => ({ value: role.id, label: role.built_in ? roleName(role.id) : role.name }))}
      onChange={onChange}
    />
  );
}

function isWithin(role: Role, own: readonly string[]): boolean {
  return role.permissions.every((permission) => own.includes(permission));
}
