/** The left rail: icon and word, collapsible to icons; on a phone the bar at the bottom. */
import { Link, useSearch } from "@tanstack/react-router";
import type { AppSearch } from "~/app/search";
import { type Key, useT } from "~/i18n";
import { paths } from "~/lib/paths";
import { setPreference, usePreferences } from "~/prefs/preferences";
import { Icon, type IconName, Logo } from "~/ui/icons";
import styles from "./frame.module.css";

export type PageName = "overview" | "traffic" | "history" | "probes" | "agents" | "events" | "health" | "settings";

/** The pages of the rail in their order; the palette lists the same. */
export const pages: readonly { name: PageName; word: Key; icon: IconName }[] = [
  { name: "overview", word: "page.overview", icon: "overview" },
  { name: "traffic", word: "page.traffic", icon: "traffic" },
  { name: "history", word: "page.history", icon: "history" },
  { name: "probes", word: "page.probes", icon: "probes" },
  { name: "agents", word: "page.agents", icon: "agents" },
  { name: "events", word: "page.events", icon: "events" },
  { name: "health", word: "page.health", icon: "health" },
  { name: "settings", word: "page.settings", icon: "settings" },
];

export function Rail() {
  const t = useT();
  const search = useSearch({ strict: false }) as AppSearch;
  const narrow = usePreferences().rail === "narrow";
  const item = ({ name, word, icon }: (typeof pages)[number]) => (
    <Link
      key={name}
      {...paths[name](search)}
      className={styles.item}
      activeOptions={{ exact: name === "overview", includeSearch: false }}
      title={narrow ? t(word) : undefined}
    >
      <Icon name={icon} />
      <span className={styles.word}>{t(word)}</span>
    </Link>
  );
  return (
    <nav className={styles.rail} aria-label={t("frame.navigation")}>
      <Link {...paths.overview(search)} className={styles.brand} aria-label="Netwatch">
        <Logo />
        <span className={styles.word}>Netwatch</span>
      </Link>
      <div className={styles.items}>{pages.filter(({ name }) => name !== "settings").map(item)}</div>
      <div className={styles.spacer} />
      <div className={styles.items}>{pages.filter(({ name }) => name === "settings").map(item)}</div>
      <button
        type="button"
        className={`${styles.item} ${styles.collapse}`}
        onClick={() => setPreference("rail", narrow ? "wide" : "narrow")}
        aria-expanded={!narrow}
        title={t(narrow ? "frame.expand" : "frame.collapse")}
      >
        <Icon name="left" />
        <span className={styles.word}>{t(narrow ? "frame.expand" : "frame.collapse")}</span>
      </button>
    </nav>
  );
}
