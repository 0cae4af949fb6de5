/** The open workspace at the begin of the breadcrumb: a link where there is one, a menu of all where there are more. */
import { Link, useNavigate, useSearch } from "@tanstack/react-router";
import type { AppSearch } from "~/app/search";
import { useT } from "~/i18n";
import { paths } from "~/lib/paths";
import { openWorkspace, useSession } from "~/session/session";
import { Icon } from "~/ui/icons";
import { Menu, MenuItem } from "~/ui/menu";
import styles from "./frame.module.css";

export function Workspace() {
  const t = useT();
  const navigate = useNavigate();
  const search = useSearch({ strict: false }) as AppSearch;
  const session = useSession();
  const { workspace, workspaces = [] } = session ?? {};
  const name = workspace?.name ?? t("frame.noWorkspace");
  if (workspaces.length < 2) return <Link {...paths.overview(search)}>{session === undefined ? "…" : name}</Link>;
  const choose = async (id: string) => {
    await openWorkspace(id);
    await navigate(paths.overview(search));
  };
  return (
    <Menu
      label={t("frame.workspaces")}
      trigger={(props) => (
        <button type="button" className={styles.workspace} aria-label={t("frame.workspaceIs", { name })} {...props}>
          <span>{name}</span>
          <Icon name="down" size={12} />
        </button>
      )}
    >
      {(close) =>
        workspaces.map((one) => (
          <MenuItem
            key={one.id}
            {...(one.id === workspace?.id && { icon: "check" as const })}
            onSelect={() => {
              close();
              if (one.id !== workspace?.id) void choose(one.id);
            }}
          >
            {one.name}
          </MenuItem>
        ))
      }
    </Menu>
  );
}
