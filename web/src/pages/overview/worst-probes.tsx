/** The probes that stand worst, as lines of name, last runs, state and response time. */
import { useQuery } from "@tanstack/react-query";
import { Link, useSearch } from "@tanstack/react-router";
import { probesQuery, probesRefresh } from "~/api/probes";
import type { Probe } from "~/api/schema";
import type { AppSearch } from "~/app/search";
import { useT } from "~/i18n";
import { paths } from "~/lib/paths";
import { useFormat } from "~/prefs/use-format";
import { useMay } from "~/session/session";
import { Empty, ProblemBox, Skeleton } from "~/ui/feedback";
import { RunsBar, StandingMark } from "../probes/standing";
import { standingOf, worst } from "../probes/state";
import styles from "./overview.module.css";

const most = 5;

export function WorstProbes() {
  const t = useT();
  const may = useMay();
  const search = useSearch({ strict: false }) as AppSearch;
  const { data, error, refetch } = useQuery({
    ...probesQuery({ sort: "state", limit: most }),
    refetchInterval: probesRefresh,
  });
  if (error !== null && data === undefined) {
    return <ProblemBox error={error} subject={t("page.probes")} onRetry={() => void refetch()} />;
  }
  if (data === undefined) return <Skeleton height={most * 28} />;
  if (data.items.length === 0) {
    const create = may("probes.write") && <Link {...paths.newProbe(search)}>{t("probes.new")}</Link>;
    return (
      <Empty title={t("probes.none")} action={create}>
        <p>{t("probes.noneText")}</p>
      </Empty>
    );
  }
  return (
    <ol>
      {data.items.map((probe) => (
        <Line key={probe.id} probe={probe} />
      ))}
    </ol>
  );
}

function Line({ probe }: { probe: Probe }) {
  const format = useFormat();
  const search = useSearch({ strict: false }) as AppSearch;
  const status = worst(probe.status);
  return (
    <li className={styles.probe}>
      <Link {...paths.probe(probe.id, search)} title={probe.name}>
        {probe.name}
      </Link>
      <span className={styles.runs}>
        <RunsBar runs={status?.runs.slice(-20) ?? []} />
      </span>
      <span title={status?.message ?? undefined}>
        <StandingMark standing={standingOf(probe)} maintenance={probe.maintenance} />
      </span>
      <span className={styles.response}>{status?.response == null ? "–" : format.duration(status.response)}</span>
    </li>
  );
}
