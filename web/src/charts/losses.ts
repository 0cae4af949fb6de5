/** What was lost, in words: each kind with its count, nothing for nothing. */
import type { Translate } from "~/i18n";
import type { LossPoint } from "~/lib/rates";
import type { Format } from "~/prefs/use-format";

export function lossText(losses: readonly LossPoint[], t: Translate, format: Format): string {
  const sum = (of: (loss: LossPoint) => number) => losses.reduce((all, loss) => all + of(loss), 0);
  const kinds = [
    ["chart.lostFrames", sum((loss) => loss.kernelDrops)],
    ["chart.lostRecords", sum((loss) => loss.recordsDropped)],
    ["chart.lostFlows", sum((loss) => loss.flowsOther)],
  ] as const;
  return kinds
    .filter(([, n]) => n > 0)
    .map(([key, n]) => t(key, { n, count: format.count(n) }))
    .join(" · ");
}
