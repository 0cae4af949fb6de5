/** The two halves of history: flows and series. */
import { useSearch } from "@tanstack/react-router";
import type { AppSearch } from "~/app/search";
import { useT } from "~/i18n";
import { paths } from "~/lib/paths";
import { PageTabs } from "~/ui/page-tabs";

export function HistoryTabs() {
  const t = useT();
  const search = useSearch({ strict: false }) as AppSearch;
  return (
    <PageTabs
      label={t("page.history")}
      tabs={[
        { target: paths.history(search), word: t("history.flows") },
        { target: paths.series(search), word: t("page.series") },
      ]}
    />
  );
}
