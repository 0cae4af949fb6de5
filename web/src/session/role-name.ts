/** Names of roles: the built-in ones in the reader's language, those of a workspace as they were named there. */
import { useT } from "~/i18n";

const builtIn = ["viewer", "operator", "admin", "owner", "site_administrator"] as const;

export function useRoleName(): (role: string) => string {
  const t = useT();
  return (role) => {
    const known = builtIn.find((word) => word === role);
    return known === undefined ? role : t(`role.${known}`);
  };
}
