/** Traffic: rates by a chosen dimension, who carried them, and the flows behind them. Everything that is chosen is in the URL. */
import { useNavigate, useSearch } from "@tanstack/react-router";
import type { Dimension } from "~/api/schema";
import { type AppSearch, dimensions } from "~/app/search";
import { useFilter } from "~/app/use-filter";
import { RateNow } from "~/charts/rate-now";
import { RatesChart } from "~/charts/rates-chart";
import { RatesTable } from "~/charts/rates-table";
import { useRates } from "~/charts/source";
import { type Translate, useT } from "~/i18n";
import { termOf } from "~/lib/dimension";
import { ViewsMenu } from "~/pages/views/views-menu";
import { useFormat } from "~/prefs/use-format";
import { useTime } from "~/time/time";
import { Button, Segmented, Select } from "~/ui/controls";
import { Page } from "~/ui/page";
import { Value } from "~/ui/value";
import { FilterBar } from "./filter-bar";
import { FlowPanel } from "./flow-panel";
import { Flows } from "./flows";
import { TalkerPanel } from "./talker-panel";
import { Talkers } from "./talkers";
import styles from "./traffic.module.css";

/** Series with a colour of their own. */
const seriesLimit = 7;
const defaultBy: Dimension = "application";

export function TrafficPage() {
  const t = useT();
  const search = useSearch({ strict: false }) as AppSearch;
  const navigate = useNavigate();
  const time = useTime();
  const by = search.by ?? defaultBy;
  const invalid = useFilter().check?.valid === false;
  const source = useRates({ by, limit: seriesLimit, ...(search.filter && { filter: search.filter }) }, time);
  const set = (change: AppSearch) =>
    void navigate({ to: ".", search: (now: AppSearch) => ({ ...now, ...change }), replace: true });
  const measure = search.measure ?? "octets";
  const asTable = search.view === "table";
  return (
    <Page
      title={t("page.traffic")}
      number={<RateNow source={source} />}
      actions={<ChartControls search={search} by={by} set={set} t={t} />}
    >
      <FilterBar />
      {invalid ? (
        <p className={styles.note}>{t("filter.correct")}</p>
      ) : (
        <>
          <div className={styles.split}>
            {asTable ? (
              <RatesTable source={source} by={by} measure={measure} limit={seriesLimit} />
            ) : (
              <RatesChart
                source={source}
                label={t("traffic.chart", { by: t(`dimension.${by}`) })}
                height={300}
                measure={measure}
                limit={seriesLimit}
                renderLabel={({ key, label }) => (
                  <Value text={label} term={termOf(by, key)} host={by === "host" ? key : undefined} />
                )}
              />
            )}
          </div>
          <Talkers search={search} />
          <Flows search={search} />
        </>
      )}
      {search.flow !== undefined && <FlowPanel id={search.flow} onClose={() => set({ flow: undefined })} />}
      {search.talker !== undefined && <TalkerPanel talker={search.talker} onClose={() => set({ talker: undefined })} />}
    </Page>
  );
}

type ControlsProps = { search: AppSearch; by: Dimension; set: (change: AppSearch) => void; t: Translate };

function ChartControls({ search, by, set, t }: ControlsProps) {
  const format = useFormat();
  const asTable = search.view === "table";
  return (
    <>
      <ViewsMenu page="traffic" />
      <Select
        label={t("traffic.by")}
        value={by}
        options={dimensions.map((value) => ({ value, label: t(`dimension.${value}`) }))}
        onChange={(value) => set({ by: value === defaultBy ? undefined : value })}
      />
      <Segmented
        label={t("traffic.measure")}
        value={search.measure ?? "octets"}
        options={[
          { value: "octets", label: format.rateUnit },
          { value: "packets", label: t("unit.packetsPerSecond") },
        ]}
        onChange={(value) => set({ measure: value === "octets" ? undefined : value })}
      />
      <Button
        icon={asTable ? "chart" : "table"}
        pressed={asTable}
        onClick={() => set({ view: asTable ? undefined : "table" })}
      >
        {t("traffic.table")}
      </Button>
    </>
  );
}
