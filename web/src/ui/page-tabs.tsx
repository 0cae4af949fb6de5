/** Pages that belong together: links to them, beside the title of each. */
import { Link } from "@tanstack/react-router";
import type { Target } from "~/lib/paths";
import styles from "./page-tabs.module.css";

type PageTabsProps = { label: string; tabs: readonly { target: Target; word: string }[] };

export function PageTabs({ label, tabs }: PageTabsProps) {
  return (
    <nav className={styles.tabs} aria-label={label}>
      {tabs.map(({ target, word }) => (
        <Link key={target.to} {...target} className={styles.tab} activeOptions={{ exact: true, includeSearch: false }}>
          {word}
        </Link>
      ))}
    </nav>
  );
}
