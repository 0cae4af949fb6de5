/** Events as lines: severity, time, subject and what happened. New ones arrive over the stream. */
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { Link, useSearch } from "@tanstack/react-router";
import { useEffect } from "react";
import { probeQuery } from "~/api/probes";
import { eventsQuery } from "~/api/queries";
import type { Event } from "~/api/schema";
import type { AppSearch } from "~/app/search";
import { stream } from "~/app/services";
import { useT } from "~/i18n";
import { paths } from "~/lib/paths";
import { useFormat } from "~/prefs/use-format";
import { useMay } from "~/session/session";
import { useTime } from "~/time/time";
import { Mark, type Status } from "~/ui/controls";
import { Empty, ProblemBox, Skeleton } from "~/ui/feedback";
import { TimeAgo } from "~/ui/time-ago";
import styles from "./events.module.css";

type EventListProps = { limit: number; cursor?: string | undefined; onPage?: (next: string | undefined) => void };

export function EventList({ limit, cursor, onPage }: EventListProps) {
  const t = useT();
  useNewEvents();
  const { data, error, refetch } = useQuery(eventsQuery({ limit, ...(cursor !== undefined && { cursor }) }));
  const next = data?.next_cursor ?? undefined;
  useEffect(() => onPage?.(next), [onPage, next]);
  if (error !== null && data === undefined) {
    return <ProblemBox error={error} subject={t("page.events")} onRetry={() => void refetch()} />;
  }
  if (data === undefined) return <Skeleton height={limit > 10 ? 480 : 160} />;
  if (data.items.length === 0) {
    return (
      <Empty title={t("events.none")}>
        <p>{t("events.noneText")}</p>
      </Empty>
    );
  }
  return (
    <ol className={styles.list}>
      {data.items.map((event) => (
        <Line key={event.id} event={event} />
      ))}
    </ol>
  );
}

const statuses: Readonly<Record<string, Status>> = { info: "ok", warning: "warning", critical: "critical" };

function Line({ event }: { event: Event }) {
  const t = useT();
  const format = useFormat();
  const severity = event.severity in statuses ? (event.severity as "info" | "warning" | "critical") : "info";
  return (
    <li className={styles.event}>
      <Mark status={statuses[severity] ?? "unknown"}>{t(`severity.${severity}`)}</Mark>
      <span className={styles.time} title={format.moment(Date.parse(event.time))}>
        <TimeAgo time={event.time} />
      </span>
      <Subject event={event} />
      <span className={styles.text}>{event.text}</span>
    </li>
  );
}

/** What it happened to; a probe is called by its name and leads to its traces. */
function Subject({ event: { kind, subject } }: { event: Event }) {
  if (kind === "route_changed") return <ProbeSubject probe={subject} />;
  return (
    <span className={`mono ${styles.subject}`} title={subject}>
      {subject}
    </span>
  );
}

function ProbeSubject({ probe }: { probe: string }) {
  const search = useSearch({ strict: false }) as AppSearch;
  const may = useMay();
  const { data } = useQuery({ ...probeQuery(probe), staleTime: 60_000, retry: false, enabled: may("probes.read") });
  const name = data?.value.name ?? probe;
  if (data === undefined) return <span className={`mono ${styles.subject}`}>{probe}</span>;
  return (
    <Link {...paths.traces(probe, search)} className={styles.subject} title={name}>
      {name}
    </Link>
  );
}

function useNewEvents(): void {
  const client = useQueryClient();
  const { mode } = useTime();
  useEffect(() => {
    if (mode === "paused") return;
    return stream.subscribe({
      topic: { name: "events" },
      interval: 1000,
      onFrame: ({ data }) => {
        if (data.name === "events" && data.value.length > 0) void client.invalidateQueries({ queryKey: ["events"] });
      },
    });
  }, [client, mode]);
}
