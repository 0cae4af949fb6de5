/** What befell the agents in the range of the page, and tells why they measured nothing, or something else. */
import { useQuery } from "@tanstack/react-query";
import { historyEventsQuery } from "~/api/history";
import type { Event } from "~/api/schema";
import { useMay } from "~/session/session";
import { useTime } from "~/time/time";

const telling = "interface_down,interface_up,clock_stepped,records_dropped";
/** Events that are shown: the newest. */
const most = 40;
/** Milliseconds after which a range that ends now is asked for again. */
const refresh = 30_000;

export function useAgentEvents(): readonly Event[] {
  const may = useMay();
  const time = useTime();
  const { data } = useQuery({
    ...historyEventsQuery({ ...time.query, kinds: telling, limit: most }),
    enabled: may("traffic.read"),
    refetchInterval: time.mode === "live" && refresh,
    retry: false,
  });
  return data?.items.map(({ event }) => event) ?? [];
}
