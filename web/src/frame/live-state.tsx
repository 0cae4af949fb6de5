/** Live, paused or historical, with the age of the data; pressing it pauses, resumes, or goes back to now. */
import { useEffect, useState, useSyncExternalStore } from "react";
import { stream } from "~/app/services";
import { useT } from "~/i18n";
import { useFormat } from "~/prefs/use-format";
import { serverNow } from "~/time/clock";
import { useTime, useTimeActions } from "~/time/time";
import { Icon } from "~/ui/icons";
import styles from "./frame.module.css";

export function LiveState() {
  const t = useT();
  const { mode } = useTime();
  const { togglePause } = useTimeActions();
  const { phase } = useSyncExternalStore(stream.onState, stream.state);
  const broken = mode === "live" && phase !== "open";
  const look = broken
    ? styles.isBroken
    : { live: styles.isLive, paused: styles.isPaused, historical: styles.isHistorical }[mode];
  const action = { live: t("time.pause"), paused: t("time.resume"), historical: t("time.goLive") }[mode];
  return (
    <button
      type="button"
      className={`${styles.live} ${look}`}
      onClick={togglePause}
      title={`${action} (${t("key.space")})`}
    >
      <i aria-hidden="true">
        {mode === "historical" ? <Icon name="clock" size={13} /> : broken ? "◆" : mode === "live" ? "●" : "‖"}
      </i>
      <span>{broken ? t("time.broken") : t(`time.${mode}`)}</span>
      <Age />
      <span className="visually-hidden">{action}</span>
    </button>
  );
}

/** The age of the newest frame; of the held moment when paused. */
function Age() {
  const format = useFormat();
  const { mode, pausedAt } = useTime();
  const [text, setText] = useState("");
  useEffect(() => {
    const update = () => setText(ageText(mode, pausedAt, format.duration));
    update();
    const timer = setInterval(update, 500);
    return () => clearInterval(timer);
  }, [mode, pausedAt, format]);
  return <small>{text}</small>;
}

function ageText(mode: string, pausedAt: number | undefined, duration: (seconds: number) => string): string {
  if (mode === "paused" && pausedAt !== undefined)
    return duration(Math.max(0, Math.round((serverNow() - pausedAt) / 1000)));
  const last = stream.state().lastFrameAt;
  if (mode !== "live" || last === undefined) return "";
  const age = (Date.now() - last) / 1000;
  return age < 2 ? "< 2 s" : duration(Math.round(age));
}
