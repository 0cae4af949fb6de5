/** The top bar: workspace and breadcrumb, search, range of time, live state, user. Nothing else is global. */
import { Link, useMatches, useSearch } from "@tanstack/react-router";
import type { AppSearch } from "~/app/search";
import { type Key as TextKey, useT } from "~/i18n";
import { paths } from "~/lib/paths";
import { Key } from "~/ui/controls";
import { Icon } from "~/ui/icons";
import styles from "./frame.module.css";
import { LiveState } from "./live-state";
import { TimePicker } from "./time-picker";
import { UserMenu } from "./user-menu";
import { Workspace } from "./workspace";

export function TopBar({ onSearch }: { onSearch: () => void }) {
  const t = useT();
  return (
    <header className={styles.top}>
      <Crumbs />
      <button type="button" className={styles.search} onClick={onSearch} aria-keyshortcuts="Control+K Meta+K">
        <Icon name="search" size={14} />
        <span>{t("palette.short")}</span>
        <span aria-hidden="true">
          <Key>{navigator.platform.startsWith("Mac") ? "⌘ K" : "Ctrl K"}</Key>
        </span>
      </button>
      <TimePicker />
      <LiveState />
      <UserMenu />
    </header>
  );
}

const words: Readonly<Record<string, TextKey>> = {
  "/": "page.overview",
  "/traffic": "page.traffic",
  "/history": "page.history",
  "/series": "page.series",
  "/storage": "page.storage",
  "/events": "page.events",
  "/health": "page.health",
  "/probes": "page.probes",
  "/probes/new": "probes.new",
  "/probes/matrix": "page.matrix",
  "/probes/voice": "page.voice",
  "/probes/map": "page.map",
  "/probes/uptime": "page.uptime",
  "/probes/maintenance": "page.maintenance",
  "/probes/$probe": "page.probe",
  "/probes/$probe/edit": "action.edit",
  "/probes/$probe/traces": "page.traces",
  "/agents": "page.agents",
  "/agents/$agent": "page.agent",
  "/settings": "page.settings",
  "/settings/account": "page.account",
  "/settings/workspace": "page.workspace",
  "/settings/networks": "page.networks",
  "/settings/members": "page.members",
  "/settings/roles": "page.roles",
  "/settings/tokens": "page.tokens",
  "/settings/audit": "page.audit",
  "/settings/users": "page.users",
  "/settings/workspaces": "page.workspaces",
  "/flows/$id": "page.flow",
  "/hosts/$address": "page.host",
};

function Crumbs() {
  const t = useT();
  const search = useSearch({ strict: false }) as AppSearch;
  const match = useMatches().at(-1);
  const route = match?.fullPath ?? "/";
  const word = words[route];
  const params = match?.params as Record<string, string> | undefined;
  const object = params?.address ?? params?.id;
  return (
    <nav aria-label={t("frame.breadcrumb")} className={styles.where}>
      <ol className={styles.crumbs}>
        <li>
          <Workspace />
        </li>
        {object !== undefined && (
          <li>
            <Link {...paths.traffic(search)}>{t("page.traffic")}</Link>
          </li>
        )}
        {route.startsWith("/probes/") && (
          <li>
            <Link {...paths.probes(search)}>{t("page.probes")}</Link>
          </li>
        )}
        {route.startsWith("/probes/$probe/") && params?.probe !== undefined && (
          <li>
            <Link {...paths.probe(params.probe, search)}>{t("page.probe")}</Link>
          </li>
        )}
        {route.startsWith("/agents/") && (
          <li>
            <Link {...paths.agents(search)}>{t("page.agents")}</Link>
          </li>
        )}
        {route.startsWith("/settings/") && (
          <li>
            <Link {...paths.settings(search)}>{t("page.settings")}</Link>
          </li>
        )}
        <li>
          {object !== undefined ? (
            <span className="mono" aria-current="page">
              {object}
            </span>
          ) : (
            <span aria-current="page">{word === undefined ? t("page.missing") : t(word)}</span>
          )}
        </li>
      </ol>
    </nav>
  );
}
