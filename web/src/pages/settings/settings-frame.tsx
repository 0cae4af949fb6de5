/** The template of the pages under Settings: their list above the page, and a clear refusal where the permission is missing. */
import { Link, useSearch } from "@tanstack/react-router";
import type { ReactNode } from "react";
import type { AppSearch } from "~/app/search";
import { useT } from "~/i18n";
import { paths } from "~/lib/paths";
import { useSession } from "~/session/session";
import { Empty } from "~/ui/feedback";
import { Page } from "~/ui/page";
import styles from "./settings.module.css";
import { maySee, type SettingsPageName, settingsPages } from "./settings-pages";

type SettingsFrameProps = {
  page: SettingsPageName;
  number?: ReactNode;
  actions?: ReactNode;
  children: ReactNode;
};

export function SettingsFrame({ page, number, actions, children }: SettingsFrameProps) {
  const t = useT();
  const search = useSearch({ strict: false }) as AppSearch;
  const session = useSession();
  const here = settingsPages.find(({ name }) => name === page);
  const word = t(`page.${page}`);
  const refused = session !== undefined && here !== undefined && !maySee(here, session);
  return (
    <Page title={word} number={number} actions={refused ? undefined : actions}>
      <nav aria-label={t("page.settings")} className={styles.nav}>
        {settingsPages
          .filter((one) => maySee(one, session))
          .map(({ name }) => (
            <Link key={name} {...paths[name](search)} activeOptions={{ exact: true, includeSearch: false }}>
              {t(name === "settings" ? "settings.preferences" : `page.${name}`)}
            </Link>
          ))}
      </nav>
      {refused ? <Refused permission={here.needs ?? ""} /> : session !== undefined && children}
    </Page>
  );
}

function Refused({ permission }: { permission: string }) {
  const t = useT();
  return (
    <Empty title={t("refused.title")}>
      <p>{permission === "" ? t("refused.person") : t("refused.text", { permission })}</p>
    </Empty>
  );
}
