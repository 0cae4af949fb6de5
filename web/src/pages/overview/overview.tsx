/** Overview: what flows now, who carries it, what stands worst, whether anything is lost, and where the data comes from. */
import { useQuery } from "@tanstack/react-query";
import { Link, useSearch } from "@tanstack/react-router";
import { interfacesQuery } from "~/api/queries";
import type { Dimension } from "~/api/schema";
import type { AppSearch } from "~/app/search";
import { lossText } from "~/charts/losses";
import { RateNow } from "~/charts/rate-now";
import { RatesChart } from "~/charts/rates-chart";
import { type ChartSource, useRates, useSourceVersion } from "~/charts/source";
import { useT } from "~/i18n";
import { paths } from "~/lib/paths";
import { whereItStops } from "~/lib/stages";
import { EventList } from "~/pages/events/event-list";
import { VerdictMark } from "~/pages/health/health";
import { CaptureHelp, Interfaces } from "~/pages/health/interfaces";
import { useFormat } from "~/prefs/use-format";
import { useMay } from "~/session/session";
import { useStatistics } from "~/stream/use-statistics";
import { useTime } from "~/time/time";
import { Mark } from "~/ui/controls";
import { Page, Section } from "~/ui/page";
import { TopFive } from "~/ui/top-five";
import styles from "./overview.module.css";
import { WorstProbes } from "./worst-probes";

const kinds = ["host", "application", "process", "name", "port", "protocol"] as const satisfies readonly Dimension[];
const newest = 5;

export function OverviewPage() {
  const t = useT();
  const may = useMay();
  const search = useSearch({ strict: false }) as AppSearch;
  const source = useRates({ by: "direction" }, useTime());
  const { data: interfaces } = useQuery(interfacesQuery);
  const blind = interfaces?.items.every(({ state }) => state === "denied") ?? false;
  return (
    <Page title={t("page.overview")} number={<RateNow source={source} />}>
      <Strip source={source} />
      {blind && <CaptureHelp items={interfaces?.items ?? []} />}
      <RatesChart source={source} label={t("overview.chart")} height={172} limit={2} legend={false} />
      <div className={styles.grid}>
        {kinds.map((by) => (
          <Section
            key={by}
            title={t(`top.${by}`)}
            actions={<Link {...paths.traffic(search, { tab: by, by })}>{t("overview.all")}</Link>}
          >
            <TopFive by={by} elsewhere />
          </Section>
        ))}
      </div>
      <div className={styles.pair}>
        {may("probes.read") && (
          <Section
            title={t("overview.probes")}
            actions={<Link {...paths.probes(search, { rank: "state" })}>{t("overview.all")}</Link>}
          >
            <WorstProbes />
          </Section>
        )}
        <Section title={t("overview.sources")} actions={<Link {...paths.health(search)}>{t("page.health")}</Link>}>
          <Interfaces brief />
        </Section>
        <Section title={t("overview.events")} actions={<Link {...paths.events(search)}>{t("overview.all")}</Link>}>
          <EventList limit={newest} />
        </Section>
      </div>
    </Page>
  );
}

/** Three answers in one line: does it flow, was anything lost, how much is there. */
function Strip({ source }: { source: ChartSource }) {
  const t = useT();
  const format = useFormat();
  const search = useSearch({ strict: false }) as AppSearch;
  const time = useTime();
  const { data: statistics } = useStatistics();
  const { data: interfaces } = useQuery(interfacesQuery);
  useSourceVersion(source);
  const lost = lossText(source.window.losses, t, format);
  return (
    <div className={styles.strip}>
      {statistics !== undefined && interfaces !== undefined && (
        <Link {...paths.health(search)}>
          <VerdictMark verdict={whereItStops(statistics, interfaces.items)} />
        </Link>
      )}
      {source.window.length > 0 && lost === "" && (
        <Link {...paths.health(search)}>
          <Mark status="ok">{t("overview.nothingLost", { duration: format.duration(time.seconds) })}</Mark>
        </Link>
      )}
      {statistics !== undefined && (
        <Link {...paths.traffic(search, { status: "active" })}>
          {t("overview.activeFlows", { n: statistics.table.active })}
        </Link>
      )}
    </div>
  );
}
