/** The zone in which times are shown and typed; `undefined` is that of the browser. */
import type { Zone } from "~/time/zone";
import { usePreferences } from "./preferences";

export function useZone(): Zone {
  const { zone } = usePreferences();
  return zone === "system" ? undefined : zone;
}
