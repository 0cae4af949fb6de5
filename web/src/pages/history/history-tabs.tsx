/** The two halves of history, flows and series, and the saved views of the one that is shown. */
import { useSearch } from "@tanstack/react-router";
import type { AppSearch } from "~/app/search";
import { useT } from "~/i18n";
import { paths } from "~/lib/paths";
import type { ViewPage } from "~/lib/views";
import { ViewsMenu } from "~/pages/views/views-menu";
import { PageTabs } from "~/ui/page-tabs";

export function HistoryTabs({ page }: { page: ViewPage }) {
  const t = useT();
  const search = useSearch({ strict: false }) as AppSearch;
  return (
    <>
      <ViewsMenu page={page} />
      <PageTabs
        label={t("page.history")}
        tabs={[
          { target: paths.history(search), word: t("history.flows") },
          { target: paths.series(search), word: t("page.series") },
        ]}
      />
    </>
  );
}
