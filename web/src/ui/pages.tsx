/** Lists that the server cuts into pages: which page is shown, the buttons that turn it, and the text that is searched for. */
import { useNavigate, useSearch } from "@tanstack/react-router";
import { useEffect, useState } from "react";
import type { AppSearch } from "~/app/search";
import { useT } from "~/i18n";
import { Button } from "./controls";
import { Icon } from "./icons";
import styles from "./pages.module.css";

export type Paging = {
  /** Of the page that is shown; absent on the first. */
  cursor: string | undefined;
  back: (() => void) | undefined;
  /** Goes to the page that the server named, if it named one. */
  forth: (next: string | null | undefined) => (() => void) | undefined;
};

/** A changed question begins at the first page: a cursor belongs to the question that gave it. */
export function usePaging(question: string): Paging {
  const [place, setPlace] = useState<{ question: string; cursors: readonly string[] }>({ question, cursors: [] });
  const cursors = place.question === question ? place.cursors : [];
  const go = (to: readonly string[]) => () => setPlace({ question, cursors: to });
  return {
    cursor: cursors.at(-1),
    back: cursors.length === 0 ? undefined : go(cursors.slice(0, -1)),
    forth: (next) => (next == null ? undefined : go([...cursors, next])),
  };
}

/** Nothing is shown when all fits on one page. */
export function Pages({ paging, next }: { paging: Paging; next: string | null | undefined }) {
  const t = useT();
  const forth = paging.forth(next);
  if (paging.back === undefined && forth === undefined) return null;
  return (
    <nav aria-label={t("list.pages")} className={styles.pages}>
      <Button icon="left" disabled={paging.back === undefined} onClick={paging.back}>
        {t("list.previous")}
      </Button>
      <Button disabled={forth === undefined} onClick={forth}>
        {t("list.next")}
      </Button>
    </nav>
  );
}

/** Milliseconds without a key after which the text is searched for. */
const pause = 250;

/** The text that a list is searched for: it is in the URL, as `q`. */
export function SearchField({ label }: { label: string }) {
  const navigate = useNavigate();
  const { q = "" } = useSearch({ strict: false }) as AppSearch;
  const [text, setText] = useState(q);
  useEffect(() => {
    if (text === q) return;
    const timer = setTimeout(() => {
      void navigate({ to: ".", search: (previous: AppSearch) => ({ ...previous, q: text }), replace: true });
    }, pause);
    return () => clearTimeout(timer);
  }, [text, q, navigate]);
  return (
    <span className={styles.search}>
      <Icon name="search" size={14} />
      <input
        type="search"
        aria-label={label}
        placeholder={label}
        data-filter-field
        autoComplete="off"
        spellCheck={false}
        maxLength={100}
        value={text}
        onChange={(event) => setText(event.target.value)}
      />
    </span>
  );
}
