/** The side panel of a talker: its own rates, with whom and with what, and the ways to go on. */
import { Link, useSearch } from "@tanstack/react-router";
import type { Dimension } from "~/api/schema";
import { type AppSearch, dimensions } from "~/app/search";
import { useFilter } from "~/app/use-filter";
import { RatesChart } from "~/charts/rates-chart";
import { useRates } from "~/charts/source";
import { useT } from "~/i18n";
import { termOf } from "~/lib/dimension";
import { paths } from "~/lib/paths";
import { useTop } from "~/stream/use-top";
import { useTime } from "~/time/time";
import { Button, buttonClass } from "~/ui/controls";
import { Section } from "~/ui/page";
import { Panel } from "~/ui/panel";
import { TopFive } from "~/ui/top-five";
import styles from "./traffic.module.css";

export function TalkerPanel({ talker, onClose }: { talker: string; onClose: () => void }) {
  const t = useT();
  const search = useSearch({ strict: false }) as AppSearch;
  const time = useTime();
  const page = useFilter();
  const colon = talker.indexOf(":");
  const by = dimensions.find((dimension) => dimension === talker.slice(0, colon)) ?? "host";
  const key = talker.slice(colon + 1);
  const filter = useTalkerFilter(by, key, search.filter);
  const source = useRates({ by: "direction", ...(filter && { filter }) }, time);
  const apply = (change: (term: string) => void) => () => {
    onClose();
    if (filter !== undefined) change(filter);
  };
  return (
    <Panel title={<span className="mono">{key}</span>} label={t(`dimension.${by}`)} onClose={onClose}>
      <div className={styles.panelActions}>
        <Button icon="include" onClick={apply(page.include)} disabled={filter === undefined}>
          {t("value.include")}
        </Button>
        <Button icon="exclude" onClick={apply(page.exclude)} disabled={filter === undefined}>
          {t("value.exclude")}
        </Button>
        {by === "host" && (
          <Link {...paths.host(key, search)} className={buttonClass()}>
            {t("value.openHost")}
          </Link>
        )}
      </div>
      {filter !== undefined && (
        <>
          <RatesChart source={source} label={t("talkers.chart", { name: key })} height={150} limit={2} legend={false} />
          {(["application", "host", "port", "process"] as const)
            .filter((dimension) => dimension !== by)
            .map((dimension) => (
              <Section key={dimension} title={t(`dimension.${dimension}`)}>
                <TopFive by={dimension} filter={filter} />
              </Section>
            ))}
        </>
      )}
    </Panel>
  );
}

/** The filter that selects the talker: the server gives it with the row; where the row is gone, the key tells most of them. */
function useTalkerFilter(by: Dimension, key: string, pageFilter: string | undefined): string | undefined {
  const time = useTime();
  const { data } = useTop({ by, limit: 10, ...(pageFilter && { filter: pageFilter }) }, time);
  return data?.items.find((item) => item.key === key)?.filter ?? termOf(by, key);
}
