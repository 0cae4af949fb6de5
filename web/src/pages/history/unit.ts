/** How the sums of a measure are written: per second in the chart, whole in the table. */
import type { HistoryMeasure } from "~/api/schema";
import type { Translate } from "~/i18n";
import type { Format } from "~/prefs/use-format";

export type Unit = {
  /** `12.3 Mbit/s`, from a value per second. */
  rate: (perSecond: number) => string;
  /** `12.3 M`. */
  figures: (perSecond: number) => string;
  perSecond: string;
  /** `1.5 GB`, from a sum. */
  total: (sum: number) => string;
  totalFigures: (sum: number) => string;
  totalUnit: string;
};

export function unitOf(measure: HistoryMeasure, format: Format, t: Translate): Unit {
  if (measure === "octets" || measure === "l2_octets") {
    return {
      rate: format.rate,
      figures: format.rateFigures,
      perSecond: format.rateUnit,
      total: format.volume,
      totalFigures: format.quantity,
      totalUnit: "B",
    };
  }
  const [perSecond, totalUnit] =
    measure === "packets"
      ? [t("unit.packetsPerSecond"), t("unit.packets")]
      : [t("unit.flowsPerSecond"), t("unit.flows")];
  return {
    rate: (value) => `${format.quantity(value)} ${perSecond}`,
    figures: format.quantity,
    perSecond,
    total: (sum) => `${format.roughCount(sum)} ${totalUnit}`,
    totalFigures: format.roughCount,
    totalUnit,
  };
}
