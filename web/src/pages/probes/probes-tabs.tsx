/** The pages of all probes, and of one. */
import { useSearch } from "@tanstack/react-router";
import type { AppSearch } from "~/app/search";
import { useT } from "~/i18n";
import { paths } from "~/lib/paths";
import { PageTabs } from "~/ui/page-tabs";

export function ProbesTabs() {
  const t = useT();
  const search = useSearch({ strict: false }) as AppSearch;
  const tabs = [
    { target: paths.probes(search), word: t("probes.list") },
    { target: paths.matrix(search), word: t("page.matrix") },
    { target: paths.voice(search), word: t("page.voice") },
    { target: paths.networkMap(search), word: t("page.map") },
    { target: paths.uptime(search), word: t("page.uptime") },
    { target: paths.maintenance(search), word: t("page.maintenance") },
  ];
  return <PageTabs label={t("page.probes")} tabs={tabs} />;
}

export function ProbeTabs({ probe }: { probe: string }) {
  const t = useT();
  const search = useSearch({ strict: false }) as AppSearch;
  const tabs = [
    { target: paths.probe(probe, search), word: t("probe.measurements") },
    { target: paths.traces(probe, search), word: t("page.traces") },
    { target: paths.networkMap(search, { probe }), word: t("page.map") },
  ];
  return <PageTabs label={t("page.probe")} tabs={tabs} />;
}
