/** Changes of the route of a probe over the range of the page: notes for its pictures, and a list with the way to each trace. */
import { useQuery } from "@tanstack/react-query";
import { Link, useSearch } from "@tanstack/react-router";
import { historyEventsQuery } from "~/api/history";
import type { Event } from "~/api/schema";
import type { AppSearch } from "~/app/search";
import type { Note } from "~/charts/time-plot";
import { useT } from "~/i18n";
import { paths } from "~/lib/paths";
import { useFormat } from "~/prefs/use-format";
import { useMay } from "~/session/session";
import { useTime } from "~/time/time";
import { Section } from "~/ui/page";
import styles from "./probes.module.css";

/** Changes that are shown: the newest. */
const most = 100;
/** Changes that are listed. */
const listed = 5;
/** Milliseconds after which a range that ends now is asked for again. */
const refresh = 10_000;

/** None where events may not be seen, or nothing is kept. */
export function useRouteChanges(probe: string): readonly Event[] {
  const time = useTime();
  const may = useMay();
  const { data } = useQuery({
    ...historyEventsQuery({ ...time.query, kinds: "route_changed", subject: probe, limit: most }),
    refetchInterval: time.mode === "live" ? refresh : false,
    enabled: may("traffic.read"),
    retry: false,
  });
  return data?.items.map(({ event }) => event) ?? [];
}

export function notesOf(events: readonly Event[]): Note[] {
  return events.map(({ time, text }) => ({ at: Date.parse(time), text }));
}

export function RouteChanges({ probe, events }: { probe: string; events: readonly Event[] }) {
  const t = useT();
  const format = useFormat();
  const search = useSearch({ strict: false }) as AppSearch;
  if (events.length === 0) return null;
  return (
    <Section title={t("route.changes")} hint={events.length > listed && t("map.more", { n: events.length - listed })}>
      <ul className={styles.changes}>
        {events.slice(0, listed).map((event) => (
          <li key={event.time}>
            <time dateTime={event.time}>{format.dateTime(Date.parse(event.time))}</time>
            <span>{event.text}</span>
            <Link {...paths.traces(probe, search, { trace: event.time })}>{t("route.open")}</Link>
          </li>
        ))}
      </ul>
    </Section>
  );
}
