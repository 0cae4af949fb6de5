/** One host: what it carried in the range, with whom, by which ports and applications, under which names, and its flows. */
import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { Link, useNavigate, useParams, useSearch } from "@tanstack/react-router";
import { RequestError } from "~/api/problem";
import { hostQuery } from "~/api/queries";
import type { Dimension, Host, Talker } from "~/api/schema";
import type { AppSearch } from "~/app/search";
import { RatesChart } from "~/charts/rates-chart";
import { useRates } from "~/charts/source";
import { useT } from "~/i18n";
import { termOf } from "~/lib/dimension";
import { term } from "~/lib/filter";
import { paths } from "~/lib/paths";
import { FlowPanel } from "~/pages/traffic/flow-panel";
import { Flows } from "~/pages/traffic/flows";
import { useFormat } from "~/prefs/use-format";
import { useTime } from "~/time/time";
import { buttonClass } from "~/ui/controls";
import { Empty, ProblemBox, Skeleton } from "~/ui/feedback";
import { Hint, Page, Section } from "~/ui/page";
import { TimeAgo } from "~/ui/time-ago";
import { TalkerLines } from "~/ui/top-five";
import { Value } from "~/ui/value";
import styles from "./host.module.css";

const refresh = 2000;

export function HostPage() {
  const t = useT();
  const { address = "" } = useParams({ strict: false });
  const search = useSearch({ strict: false }) as AppSearch;
  const navigate = useNavigate();
  const time = useTime();
  const filter = term("host", address, true);
  const source = useRates({ by: "application", filter, limit: 7 }, time);
  const { data, error, refetch } = useQuery({
    ...hostQuery(address, time.query),
    refetchInterval: time.mode === "live" ? refresh : false,
    placeholderData: keepPreviousData,
  });
  const unknown = error instanceof RequestError && (error.is("not_found") || error.is("invalid_parameter"));
  return (
    <Page
      title={address}
      heading={<span className="mono">{address}</span>}
      number={data && <Totals host={data} />}
      actions={
        <Link {...paths.traffic(search, { filter })} className={buttonClass()}>
          {t("host.traffic")}
        </Link>
      }
    >
      {unknown ? (
        <Unknown address={address} detail={error.problem?.detail ?? ""} />
      ) : (
        <>
          {error !== null && <ProblemBox error={error} subject={address} onRetry={() => void refetch()} />}
          <RatesChart
            source={source}
            label={t("host.chart", { address })}
            height={220}
            renderLabel={({ key, label }) => <Value text={label} term={termOf("application", key)} elsewhere />}
          />
          {data === undefined ? <Skeleton height={220} /> : <Parts host={data} seconds={time.seconds} />}
          <Flows search={search} filter={filter} elsewhere />
          {search.flow !== undefined && (
            <FlowPanel
              id={search.flow}
              onClose={() => void navigate({ to: ".", search: (now: AppSearch) => ({ ...now, flow: undefined }) })}
            />
          )}
        </>
      )}
    </Page>
  );
}

function Totals({ host }: { host: Host }) {
  const t = useT();
  const format = useFormat();
  const { total } = host;
  return (
    <>
      <span>{t("host.received", { volume: format.volume(total.octets_in) })}</span>
      <span>{t("host.sent", { volume: format.volume(total.octets_out) })}</span>
      {host.local && <span>{t("host.local")}</span>}
      {host.last_seen != null && (
        <Hint>
          {t("host.lastSeen")} <TimeAgo time={host.last_seen} />
        </Hint>
      )}
    </>
  );
}

function Parts({ host, seconds }: { host: Host; seconds: number }) {
  const t = useT();
  const lists: readonly (readonly [Dimension, string, readonly Talker[]])[] = [
    ["host", t("host.peers"), host.peers],
    ["port", t("host.ports"), host.ports],
    ["application", t("host.applications"), host.applications],
  ];
  return (
    <>
      {host.names.length > 0 && (
        <Section title={t("host.names")} hint={t("host.namesHint")}>
          <div className={styles.names}>
            {host.names.map((name) => (
              <Value key={name} text={name} term={term("name", name)} elsewhere />
            ))}
          </div>
        </Section>
      )}
      <div className={styles.grid}>
        {lists.map(([by, title, items]) => (
          <Section key={by} title={title}>
            <TalkerLines items={items.slice(0, 10)} total={host.total.octets} seconds={seconds} by={by} elsewhere />
          </Section>
        ))}
      </div>
    </>
  );
}

function Unknown({ address, detail }: { address: string; detail: string }) {
  const t = useT();
  const search = useSearch({ strict: false }) as AppSearch;
  return (
    <Empty
      title={t("host.unknown", { address })}
      action={
        <Link {...paths.traffic(search)} className={buttonClass(true)}>
          {t("flow.toTraffic")}
        </Link>
      }
    >
      <p>{detail}</p>
    </Empty>
  );
}
