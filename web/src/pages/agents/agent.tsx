/** One agent: how it stands, what each of its collectors does, its host, and the probes that it runs. */
import { useQuery } from "@tanstack/react-query";
import { useParams } from "@tanstack/react-router";
import { agentQuery, agentsRefresh } from "~/api/agents";
import type { Agent } from "~/api/schema";
import { useT } from "~/i18n";
import { useFormat } from "~/prefs/use-format";
import { Mark } from "~/ui/controls";
import { ProblemBox, Skeleton } from "~/ui/feedback";
import { Moment } from "~/ui/moment";
import { Facts, Hint, Page, Section } from "~/ui/page";
import { TimeAgo } from "~/ui/time-ago";
import { MiniTable } from "../probes/detail/parts";
import { AgentActions } from "./agent-actions";
import { AgentProbes } from "./agent-probes";
import { AgentMark, Clock, LabelTags } from "./agent-state";
import styles from "./agents.module.css";
import { Information } from "./information";
import { Seen } from "./seen";
import { collectorMarks } from "./state";

export function AgentPage() {
  const t = useT();
  const { agent: id = "" } = useParams({ strict: false }) as { agent?: string };
  const { data, error, refetch } = useQuery({
    ...agentQuery(id),
    refetchInterval: ({ state }) => (state.error === null ? agentsRefresh : false),
  });
  if (data === undefined) {
    return (
      <Page title={t("page.agent")}>
        {error === null ? (
          <Skeleton height={480} />
        ) : (
          <ProblemBox error={error} subject={t("page.agent")} onRetry={() => void refetch()} />
        )}
      </Page>
    );
  }
  const agent = data.value;
  return (
    <Page title={agent.name} number={<AgentMark state={agent.state} />} actions={<AgentActions current={data} />}>
      {agent.cloned_at != null && <Cloned time={agent.cloned_at} />}
      {agent.refused != null && <Refused refused={agent.refused} />}
      {agent.left_out > 0 && <LeavesOut agent={agent} />}
      <div className={styles.halves}>
        <Session agent={agent} />
        <About agent={agent} />
      </div>
      <Collectors agent={agent} />
      <Information agent={agent} />
      <AgentProbes agent={agent} />
    </Page>
  );
}

/** Two processes used the key of this agent at once. */
function Cloned({ time }: { time: string }) {
  const t = useT();
  return (
    <div role="alert" className={styles.banner}>
      <Mark status="critical">{t("agents.cloned")}</Mark>
      <p>{t("agents.clonedText")}</p>
      <Moment time={time} />
    </div>
  );
}

/** Its version and that of the server do not fit. */
function Refused({ refused: { time, message } }: { refused: NonNullable<Agent["refused"]> }) {
  const t = useT();
  return (
    <div role="alert" className={styles.banner}>
      <Mark status="critical">{t("agents.refused")}</Mark>
      <p>
        {t("agents.refusedText")} <span lang="en">{message}</span>
      </p>
      <Moment time={time} />
    </div>
  );
}

/** Its version cannot run some of the probes that are meant for it. */
function LeavesOut({ agent: { left_out: n, version } }: { agent: Agent }) {
  const t = useT();
  return (
    <div role="note" className={styles.banner} data-status="warning">
      <Mark status="warning">{t("agents.leavesOut", { n })}</Mark>
      <p>{t("agents.leavesOutText", { version: version ?? "–" })}</p>
    </div>
  );
}

/** What the server knows of the link to it. */
function Session({ agent }: { agent: Agent }) {
  const t = useT();
  const { spool, assigned_revision: assigned, applied_revision: applied } = agent;
  return (
    <Section title={t("agents.session")} hint={t("agents.sessionHint")}>
      <Facts
        items={[
          [t("agents.lastSeen"), agent.last_seen == null ? t("tokens.never") : <Seen key="s" time={agent.last_seen} />],
          agent.connected_since != null && [t("agents.connected"), <Moment key="c" time={agent.connected_since} />],
          agent.peer_address != null && [t("agents.seenFrom"), <Wire key="p">{agent.peer_address}</Wire>],
          [t("agents.clockOffset"), <Clock key="o" clock={agent.clock} long />],
          [t("agents.backlog"), spool == null ? "–" : <Backlog key="b" spool={spool} />],
          [
            t("agents.assignment"),
            applied === assigned ? (
              t("agents.applied", { revision: String(assigned) })
            ) : (
              <Mark key="a" status="warning">
                {t("agents.notApplied", { assigned: String(assigned), applied: String(applied) })}
              </Mark>
            ),
          ],
        ]}
      />
    </Section>
  );
}

/** What waits on its disk, since when, and what was lost there. */
function Backlog({ spool }: { spool: NonNullable<Agent["spool"]> }) {
  const t = useT();
  const format = useFormat();
  const { bytes, batches, oldest, dropped } = spool;
  return (
    <>
      {batches === 0 ? t("agents.backlogEmpty") : t("agents.backlogOf", { batches, volume: format.volume(bytes) })}
      {batches > 0 && oldest != null && (
        <>
          {" · "}
          {t("agents.backlogSince")} <TimeAgo time={oldest} />
        </>
      )}
      {dropped > 0 && (
        <>
          {" · "}
          <span title={t("agents.droppedText")}>
            <Mark status="warning">{t("agents.dropped", { n: dropped })}</Mark>
          </span>
        </>
      )}
    </>
  );
}

/** What it is, in its own words and in those of whoever keeps it. */
function About({ agent }: { agent: Agent }) {
  const t = useT();
  const { group, labels, location, addresses, reflector_port: reflector } = agent;
  const platform = [agent.os, agent.arch].filter(Boolean).join(" · ");
  const place = [
    location?.name,
    location?.latitude != null && location.longitude != null && `${location.latitude}, ${location.longitude}`,
  ].filter(Boolean);
  return (
    <Section title={t("agents.about")}>
      <Facts
        items={[
          [
            t("agents.origin"),
            <span key="o">
              {t(`agents.origin.${agent.origin}`)}{" "}
              {agent.foreign ? (
                <Hint>{t("agents.isForeign")}</Hint>
              ) : (
                agent.global && <Hint>{t("agents.isGlobal")}</Hint>
              )}
            </span>,
          ],
          [
            t("health.version"),
            <span key="v">
              <Wire>{agent.version}</Wire>{" "}
              {agent.install != null && <Hint>{t(`agents.install.${agent.install}`)}</Hint>}
            </span>,
          ],
          [
            t("page.host"),
            <span key="h">
              <Wire>{agent.hostname}</Wire> {platform !== "" && <Hint>{platform}</Hint>}
            </span>,
          ],
          [t("agents.addresses"), <Wire key="a">{addresses.join(", ")}</Wire>],
          reflector != null && [t("agents.reflector"), t("agents.reflectorAt", { port: String(reflector) })],
          [t("agents.group"), group ?? "–"],
          [
            t("agents.labels"),
            <span key="l" className={styles.wrapped}>
              <LabelTags labels={labels} />
            </span>,
          ],
          place.length > 0 && [t("agents.location"), place.join(" · ")],
          [t("list.made"), <Moment key="m" time={agent.created} />],
          agent.enrolled_key != null && [t("agents.key"), <Wire key="k">{agent.enrolled_key}</Wire>],
        ]}
      />
    </Section>
  );
}

function Wire({ children }: { children: string | null | undefined }) {
  return children == null || children === "" ? "–" : <span className="mono">{children}</span>;
}

function Collectors({ agent: { collectors } }: { agent: Agent }) {
  const t = useT();
  const format = useFormat();
  return (
    <Section title={t("agents.collectors")} hint={t("agents.collectorsHint")}>
      {collectors.length === 0 ? (
        <Hint>{t("agents.noCollectors")}</Hint>
      ) : (
        <MiniTable
          label={t("agents.collectors")}
          head={[t("list.name"), t("column.state"), `>${t("agents.items")}`, t("agents.message")]}
          rows={collectors.map(({ name, state, message, items }) => ({
            key: name,
            cells: [
              <Wire key="name">{name}</Wire>,
              <Mark key="state" status={collectorMarks[state]}>
                {t(`agents.collector.${state}`)}
              </Mark>,
              format.count(items),
              <span key="message" className={styles.why}>
                {message || "–"}
              </span>,
            ],
          }))}
        />
      )}
    </Section>
  );
}
