/** A moment of which the day matters: near now "5 min ago", else the date; the full time with its zone is on hover. */
import { useT } from "~/i18n";
import { useFormat } from "~/prefs/use-format";
import { serverNow } from "~/time/clock";

/** Nearer than this many seconds, in the past, the age says more than the date. */
const near = 12 * 3600;

export function Moment({ time }: { time: string | null | undefined }) {
  const t = useT();
  const format = useFormat();
  if (time == null) return "–";
  const moment = Date.parse(time);
  const age = Math.floor((serverNow() - moment) / 1000);
  return (
    <time dateTime={time} title={format.moment(moment)}>
      {age >= 0 && age < near
        ? t("time.ago", { duration: format.duration(age < 60 ? age : Math.floor(age / 60) * 60) })
        : format.date(moment)}
    </time>
  );
}
