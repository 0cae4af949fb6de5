/** The two halves of history, flows and series, the saved views of the one that is shown, and whether anything new comes into them. */
import { useQuery } from "@tanstack/react-query";
import { Link, useSearch } from "@tanstack/react-router";
import { storageQuery } from "~/api/history";
import type { AppSearch } from "~/app/search";
import { useT } from "~/i18n";
import { paths } from "~/lib/paths";
import type { ViewPage } from "~/lib/views";
import { ViewsMenu } from "~/pages/views/views-menu";
import { useMay } from "~/session/session";
import { Mark } from "~/ui/controls";
import { PageTabs } from "~/ui/page-tabs";

export function HistoryTabs({ page }: { page: ViewPage }) {
  const t = useT();
  const search = useSearch({ strict: false }) as AppSearch;
  return (
    <>
      <ReadOnly />
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

/** Says that nothing new is stored, and leads to why. */
function ReadOnly() {
  const t = useT();
  const may = useMay();
  const { data } = useQuery({ ...storageQuery, enabled: may("system.read") });
  if (data?.state !== "read_only") return null;
  return (
    <Link {...paths.storage()} role="alert">
      <Mark status="critical">{t("storage.state.read_only")}</Mark>
    </Link>
  );
}
