/** Who is signed in, and what concerns them: account, settings, keys, the end of the session. */
import { useNavigate, useSearch } from "@tanstack/react-router";
import type { AppSearch } from "~/app/search";
import { useT } from "~/i18n";
import { paths } from "~/lib/paths";
import { useRoleName } from "~/session/role-name";
import { signOut, useSession } from "~/session/session";
import { Icon } from "~/ui/icons";
import { Menu, MenuItem, MenuNote } from "~/ui/menu";
import styles from "./frame.module.css";

export function UserMenu() {
  const t = useT();
  const navigate = useNavigate();
  const search = useSearch({ strict: false }) as AppSearch;
  const roleName = useRoleName();
  const session = useSession();
  const user = session?.user;
  const name = user?.display_name ?? t("user.program");
  return (
    <Menu
      label={t("user.menu")}
      trigger={(props) => (
        <button type="button" className={styles.user} aria-label={t("user.is", { name })} title={name} {...props}>
          <Icon name="user" />
        </button>
      )}
    >
      {(close) => {
        const item = (label: string, run: () => void) => (
          <MenuItem
            onSelect={() => {
              close();
              run();
            }}
          >
            {label}
          </MenuItem>
        );
        return (
          <>
            <MenuNote>{user?.name ?? name}</MenuNote>
            {session?.workspace != null && (
              <MenuNote>
                {session.workspace.name} · {roleName(session.workspace.role)}
              </MenuNote>
            )}
            {user != null && item(t("page.account"), () => void navigate(paths.account(search)))}
            {item(t("page.settings"), () => void navigate(paths.settings(search)))}
            {item(t("user.reference"), () => window.location.assign("/api/v1/reference"))}
            {item(t("settings.signOut"), () => void signOut())}
          </>
        );
      }}
    </Menu>
  );
}
