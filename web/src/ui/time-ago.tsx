/** A moment, relative while it is near: "12 s ago"; the full time with its zone is on hover. */
import { useEffect, useState } from "react";
import { useT } from "~/i18n";
import { useFormat } from "~/prefs/use-format";
import { serverNow } from "~/time/clock";

/** Further back than this many seconds, the time of day says more. */
const near = 3600;

export function TimeAgo({ time }: { time: string }) {
  const t = useT();
  const format = useFormat();
  const moment = Date.parse(time);
  const [now, setNow] = useState(serverNow);
  useEffect(() => {
    const timer = setInterval(() => setNow(serverNow()), 1000);
    return () => clearInterval(timer);
  }, []);
  const age = Math.max(0, Math.floor((now - moment) / 1000));
  const coarse = age < 60 ? age : Math.floor(age / 60) * 60;
  return (
    <time dateTime={time} title={format.moment(moment)}>
      {age > near ? format.clock(moment) : t("time.ago", { duration: format.duration(coarse) })}
    </time>
  );
}
