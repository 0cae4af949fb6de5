/** Deutsch: Zeiträume. */
import type { Message } from "../catalogue";
import type { time as english } from "../en/time";

export const time: Readonly<Record<keyof typeof english, Message>> = {
  "time.earlier": "Früher",
  "time.later": "Später",
  "time.recent": "Zuletzt gewählt",
  "time.zone": "Zeitzone",
  "time.zoneOfBrowser": "Browser ({zone})",
  "time.today": "Heute",
  "time.yesterday": "Gestern",
  "time.thisWeek": "Diese Woche",
  "time.lastWeek": "Letzte Woche",
  "time.thisMonth": "Dieser Monat",
  "time.lastMonth": "Letzter Monat",

  "shortcuts.earlier": "Der Zeitraum davor",
  "shortcuts.later": "Der Zeitraum danach",
  "shortcuts.zoomIn": "Hineinzoomen",
  "shortcuts.copyRange": "Zeitraum kopieren",
  "shortcuts.pasteRange": "Zeitraum einfügen",
};
