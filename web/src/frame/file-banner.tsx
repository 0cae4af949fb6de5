/** A capture file was read, and "now" is its end: offers all of the time that it covers, when that is more than what is shown. */
import { useQuery } from "@tanstack/react-query";
import { flowsQuery, interfacesQuery } from "~/api/queries";
import type { FlowPage, Interface } from "~/api/schema";
import { useT } from "~/i18n";
import { useFormat } from "~/prefs/use-format";
import { useTime, useTimeActions } from "~/time/time";
import { Button } from "~/ui/controls";
import styles from "./frame.module.css";

export function FileBanner() {
  const t = useT();
  const format = useFormat();
  const { mode, seconds } = useTime();
  const { setRange } = useTimeActions();
  const { data: interfaces } = useQuery(interfacesQuery);
  const ended = isRead(interfaces?.items);
  const everything = { from: "1970-01-01T00:00:00Z", limit: 1, sort: "start" as const };
  const first = useQuery({ ...flowsQuery({ ...everything, order: "asc" }), enabled: ended });
  const last = useQuery({ ...flowsQuery({ ...everything, order: "desc" }), enabled: ended });
  const covered = extent(first.data, last.data, interfaces?.items ?? []);
  if (!ended || mode !== "live" || covered === undefined || covered.to - covered.from <= seconds * 1000) return null;
  return (
    <div role="status" className={styles.banner}>
      <span>{t("file.covers", { from: format.moment(covered.from), to: format.moment(covered.to) })}</span>
      <Button look="primary" onClick={() => setRange({ kind: "absolute", ...covered })}>
        {t("file.show")}
      </Button>
    </div>
  );
}

function isRead(items: readonly Interface[] | undefined): boolean {
  return items !== undefined && items.length > 0 && items.every(({ state }) => state === "ended");
}

/** From the first packet to just after the last one that is known. */
function extent(first: FlowPage | undefined, last: FlowPage | undefined, interfaces: readonly Interface[]) {
  const start = first?.items[0];
  const end = last?.items[0];
  if (start === undefined || end === undefined) return undefined;
  const seen = interfaces.map(({ last_seen }) => (last_seen == null ? 0 : Date.parse(last_seen)));
  const from = Math.floor(Date.parse(start.start) / 1000) * 1000;
  const to = Math.ceil(Math.max(Date.parse(start.end), Date.parse(end.end), ...seen) / 1000) * 1000 + 1000;
  return { from, to };
}
