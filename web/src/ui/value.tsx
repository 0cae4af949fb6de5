/**
 * A value that came from the traffic: plain text with a menu to include or exclude it, open it, or copy it.
 *
 * Names from the network reach the page only as text of this element; links are built by the router from encoded parameters.
 */
import { useNavigate, useSearch } from "@tanstack/react-router";
import type { ReactNode } from "react";
import type { AppSearch } from "~/app/search";
import { useFilter } from "~/app/use-filter";
import { useT } from "~/i18n";
import { paths } from "~/lib/paths";
import { copyText } from "./copy";
import { Menu, MenuItem, MenuNote } from "./menu";
import styles from "./menu.module.css";

type ValueProps = {
  text: string;
  /** Filter term that selects it; without, it can only be opened and copied. */
  term?: string | undefined;
  /** The address, when the value is a host. */
  host?: string | undefined;
  /** What is shown, when not the text itself. */
  children?: ReactNode;
  /** In a table the row is the tab stop; in a panel each value is one. */
  inRow?: boolean;
  /** On pages without a filter of their own: show the traffic with it. */
  elsewhere?: boolean;
};

export function Value({ text, term, host, children, inRow = false, elsewhere = false }: ValueProps) {
  const t = useT();
  const filter = useFilter();
  const navigate = useNavigate();
  const search = useSearch({ strict: false }) as AppSearch;
  const show = (one: string) => void navigate(paths.traffic(search, { filter: one }));
  return (
    <Menu
      label={t("value.menu", { value: text })}
      trigger={(props) => (
        <button
          type="button"
          className={`${styles.value} mono`}
          title={text}
          tabIndex={inRow ? -1 : 0}
          {...props}
          onClick={(event) => {
            event.stopPropagation();
            props.onClick();
          }}
        >
          {children ?? text}
        </button>
      )}
    >
      {(close) => {
        const after = (action: () => void) => () => {
          close();
          action();
        };
        return (
          <>
            <MenuNote>{text}</MenuNote>
            {term !== undefined && !elsewhere && (
              <>
                <MenuItem icon="include" onSelect={after(() => filter.include(term))}>
                  {t("value.include")}
                </MenuItem>
                <MenuItem icon="exclude" onSelect={after(() => filter.exclude(term))}>
                  {t("value.exclude")}
                </MenuItem>
              </>
            )}
            {term !== undefined && elsewhere && (
              <MenuItem icon="traffic" onSelect={after(() => show(term))}>
                {t("value.traffic")}
              </MenuItem>
            )}
            {host !== undefined && (
              <MenuItem icon="open" onSelect={after(() => void navigate(paths.host(host, search)))}>
                {t("value.openHost")}
              </MenuItem>
            )}
            <MenuItem icon="copy" onSelect={after(() => copyText(text))}>
              {t("action.copy")}
            </MenuItem>
          </>
        );
      }}
    </Menu>
  );
}
