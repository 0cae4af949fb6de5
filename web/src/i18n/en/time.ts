/** English texts about ranges of time. */
import type { Message } from "../catalogue";

export const time = {
  "time.earlier": "Earlier",
  "time.later": "Later",
  "time.recent": "Chosen last",
  "time.zone": "Time zone",
  "time.zoneOfBrowser": "Browser ({zone})",
  "time.today": "Today",
  "time.yesterday": "Yesterday",
  "time.thisWeek": "This week",
  "time.lastWeek": "Last week",
  "time.thisMonth": "This month",
  "time.lastMonth": "Last month",

  "shortcuts.earlier": "The period before",
  "shortcuts.later": "The period after",
  "shortcuts.zoomIn": "Zoom in",
  "shortcuts.copyRange": "Copy the range of time",
  "shortcuts.pasteRange": "Paste a range of time",
} as const satisfies Record<string, Message>;
