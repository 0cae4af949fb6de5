/** The two halves of health: the way of the data, and the room that is left for it. */
import { useSearch } from "@tanstack/react-router";
import type { AppSearch } from "~/app/search";
import { useT } from "~/i18n";
import { paths } from "~/lib/paths";
import { PageTabs } from "~/ui/page-tabs";

export function HealthTabs() {
  const t = useT();
  const search = useSearch({ strict: false }) as AppSearch;
  return (
    <PageTabs
      label={t("page.health")}
      tabs={[
        { target: paths.health(search), word: t("page.health") },
        { target: paths.storage(search), word: t("page.storage") },
      ]}
    />
  );
}
