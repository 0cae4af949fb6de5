/** The period that the URL asks for, in the reader's zone. */
import { useSearch } from "@tanstack/react-router";
import type { UptimeQuestion } from "~/api/probes";
import type { AppSearch } from "~/app/search";
import { useZone } from "~/prefs/use-zone";

export function useQuestion(): UptimeQuestion {
  const { period, at } = useSearch({ strict: false }) as AppSearch;
  const zone = useZone() ?? Intl.DateTimeFormat().resolvedOptions().timeZone ?? "UTC";
  return { ...(period && { period }), ...(at && { at }), zone };
}
