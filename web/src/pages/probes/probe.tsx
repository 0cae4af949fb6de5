/** One probe: how it stands, its numbers over time, and its runs. */
import { Link, useSearch } from "@tanstack/react-router";
import type { Probe } from "~/api/schema";
import type { AppSearch } from "~/app/search";
import { useT } from "~/i18n";
import { paths } from "~/lib/paths";
import { useLongRange } from "~/pages/history/use-long-range";
import { useFormat } from "~/prefs/use-format";
import { ProblemBox, Skeleton } from "~/ui/feedback";
import { Page } from "~/ui/page";
import { TimeAgo } from "~/ui/time-ago";
import { useAgentName } from "../agents/use-agent-name";
import { LeftOut } from "./left-out";
import { Pictures } from "./pictures";
import { ProbeActions } from "./probe-actions";
import styles from "./probes.module.css";
import { ProbeTabs } from "./probes-tabs";
import { Results } from "./results";
import { RunsBar, StandingMark } from "./standing";
import { standingOf, worst } from "./state";
import { UptimeSection } from "./uptime-section";
import { useProbe } from "./use-probe";
import { useTargetName } from "./use-target-name";

/** A probe's pictures begin with some hours. */
const range = "-3h";

export function ProbePage() {
  const t = useT();
  useLongRange(range);
  const { id, current, kind, error, retry } = useProbe();
  if (current === undefined || kind === undefined) {
    return (
      <Page title={t("page.probe")}>
        {error === null ? (
          <Skeleton height={480} />
        ) : (
          <ProblemBox error={error} subject={t("page.probe")} onRetry={retry} />
        )}
      </Page>
    );
  }
  const probe = current.value;
  return (
    <Page
      title={probe.name}
      number={<StandingMark standing={standingOf(probe)} maintenance={probe.maintenance} />}
      actions={
        <>
          <ProbeTabs probe={id} />
          <ProbeActions current={current} kind={kind} />
        </>
      }
    >
      <Head probe={probe} />
      <Pictures probe={probe} kind={kind} />
      <UptimeSection probe={probe} />
      <Results probe={probe} />
    </Page>
  );
}

/** What is measured, how often, and how the last run went at each agent. */
function Head({ probe }: { probe: Probe }) {
  const t = useT();
  const format = useFormat();
  const nameOf = useAgentName();
  const targetOf = useTargetName();
  const search = useSearch({ strict: false }) as AppSearch;
  const { spec, status } = probe;
  const bad = worst(status);
  return (
    <>
      <p className={styles.head}>
        <span className="mono">{spec.kind}</span>
        <span className={`mono ${styles.target}`}>{targetOf(spec)}</span>
        <span>{t("probe.every", { interval: format.duration(spec.interval) })}</span>
        {spec.count > 1 && <span>{t("probe.perRun", { n: spec.count })}</span>}
        {(spec.dscp ?? 0) > 0 && <span>{t("probe.dscpIs", { dscp: String(spec.dscp) })}</span>}
      </p>
      <ul className={styles.status}>
        {status.map((one) => (
          <li key={one.agent}>
            {status.length > 1 && (
              <>
                <Link {...paths.agent(one.agent, search)} className={styles.agent}>
                  {nameOf(one.agent)}
                </Link>
                <span className={styles.standing}>
                  <StandingMark standing={probe.enabled ? one.state : "paused"} />
                </span>
              </>
            )}
            <RunsBar runs={one.runs} />
            <span data-read="response">{one.response == null ? "–" : format.duration(one.response)}</span>
            {one.loss != null && <span>{t("probes.lossOf", { loss: format.percent(one.loss, 1) })}</span>}
            <TimeAgo time={one.time} />
          </li>
        ))}
      </ul>
      <LeftOut agents={probe.left_out} />
      {probe.enabled && status.length === 0 && probe.left_out.length === 0 && (
        <p className={styles.note}>{t("probe.waitingText")}</p>
      )}
      {bad?.message != null && <p className={styles.message}>{bad.message}</p>}
    </>
  );
}
