/** How long something still holds, counted down; the moment of its end is on hover. */
import { useT } from "~/i18n";
import { useFormat } from "~/prefs/use-format";
import { Mark } from "~/ui/controls";
import { useSecond } from "./use-second";

export function EndsIn({ time }: { time: string }) {
  const t = useT();
  const format = useFormat();
  const end = Date.parse(time);
  const left = Math.ceil((end - useSecond()) / 1000);
  return (
    <time dateTime={time} title={format.moment(end)}>
      {left <= 0 ? (
        <Mark status="warning">{t("tokens.ended")}</Mark>
      ) : (
        t("agents.endsIn", { duration: format.duration(coarse(left)) })
      )}
    </time>
  );
}

/** Whole minutes while it is long. */
export function coarse(seconds: number): number {
  return seconds < 120 ? seconds : Math.floor(seconds / 60) * 60;
}
