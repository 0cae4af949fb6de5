/** One flow: both ends, its own chart, and whether network or application is to blame. */
import { useQuery } from "@tanstack/react-query";
import { Link, useParams, useSearch } from "@tanstack/react-router";
import { RequestError } from "~/api/problem";
import { flowQuery } from "~/api/queries";
import type { Flow } from "~/api/schema";
import type { AppSearch } from "~/app/search";
import { useT } from "~/i18n";
import { term } from "~/lib/filter";
import { paths } from "~/lib/paths";
import { useFormat } from "~/prefs/use-format";
import { useTime } from "~/time/time";
import { buttonClass } from "~/ui/controls";
import { Empty, ProblemBox, Skeleton } from "~/ui/feedback";
import { FlowState } from "~/ui/flow-state";
import { Page, Section } from "~/ui/page";
import styles from "./flow.module.css";
import { FlowChart } from "./flow-chart";
import { Ends, FlowFacts, FlowTimes, FlowVolume, TcpQuality } from "./parts";
import { VerdictLine } from "./verdict-line";

const refresh = 1000;

export function FlowPage() {
  const t = useT();
  const format = useFormat();
  const { id = "" } = useParams({ strict: false });
  const { mode } = useTime();
  const { data, error, refetch } = useQuery({
    ...flowQuery(id),
    refetchInterval: ({ state }) =>
      mode === "live" && state.data?.flow.end_reason == null && state.error === null ? refresh : false,
  });
  if (error !== null && data === undefined) return <NoFlow error={error} onRetry={() => void refetch()} />;
  if (data === undefined) {
    return (
      <Page title={t("page.flow")}>
        <Skeleton height={420} />
      </Page>
    );
  }
  const { flow } = data;
  return (
    <Page
      title={t("page.flow")}
      heading={<Ends flow={flow} />}
      number={
        <>
          <span>{format.volume(flow.octets + flow.reverse_octets)}</span>
          <FlowState flow={flow} />
        </>
      }
      actions={<FlowActions flow={flow} />}
    >
      <VerdictLine flow={flow} />
      <Section title={t("flow.chart")} hint={t("flow.chartHint", { step: format.duration(data.step) })}>
        <FlowChart detail={data} height={200} />
      </Section>
      <div className={styles.columns}>
        <div>
          <Section title={t("flow.who")}>
            <FlowFacts flow={flow} elsewhere />
          </Section>
          <Section title={t("flow.when")}>
            <FlowTimes flow={flow} />
          </Section>
        </div>
        <div>
          <TcpQuality flow={flow} />
          <Section title={t("flow.volume")}>
            <FlowVolume flow={flow} />
          </Section>
        </div>
      </div>
    </Page>
  );
}

function FlowActions({ flow }: { flow: Flow }) {
  const t = useT();
  const search = useSearch({ strict: false }) as AppSearch;
  const pair = `${term("host", flow.source, true)} and ${term("host", flow.destination, true)}`;
  return (
    <Link {...paths.traffic(search, { filter: pair })} className={buttonClass()}>
      {t("flow.pairTraffic")}
    </Link>
  );
}

function NoFlow({ error, onRetry }: { error: unknown; onRetry: () => void }) {
  const t = useT();
  const search = useSearch({ strict: false }) as AppSearch;
  const gone = error instanceof RequestError && error.is("not_found");
  return (
    <Page title={t("page.flow")}>
      {gone ? (
        <Empty
          title={t("flow.gone")}
          action={
            <Link {...paths.traffic(search)} className={buttonClass(true)}>
              {t("flow.toTraffic")}
            </Link>
          }
        >
          <p>{t("flow.goneText")}</p>
        </Empty>
      ) : (
        <ProblemBox error={error} subject={t("page.flow")} onRetry={onRetry} />
      )}
    </Page>
  );
}
