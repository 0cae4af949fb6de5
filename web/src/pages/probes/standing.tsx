/** The state of a probe as shape, colour and word, and its last runs as a row of bars. */
import type { ProbeRunBar } from "~/api/schema";
import { useT } from "~/i18n";
import { useFormat } from "~/prefs/use-format";
import { Mark } from "~/ui/controls";
import styles from "./probes.module.css";
import { counted, marks, type Standing } from "./state";

/** In maintenance it says so beside how it stands: it goes on measuring. */
export function StandingMark({ standing, maintenance = false }: { standing: Standing; maintenance?: boolean }) {
  const t = useT();
  const mark = <Mark status={marks[standing]}>{t(`probes.state.${standing}`)}</Mark>;
  if (!maintenance) return mark;
  return (
    <span className={styles.standing}>
      {mark}
      <span className={styles.maintenance}>{t("probes.state.maintenance")}</span>
    </span>
  );
}

/** Bars that are drawn at most; the server keeps as many. */
const most = 40;

/** Oldest first. A worse run has a taller bar, so that the colour is not needed; each says what it is when it is pointed at. */
export function RunsBar({ runs }: { runs: readonly ProbeRunBar[] }) {
  const t = useT();
  const format = useFormat();
  if (runs.length === 0) return "–";
  const shown = runs.slice(-most);
  const { up, degraded, down, unknown } = counted(shown);
  return (
    <span role="img" className={styles.runs} aria-label={t("probes.runsText", { up, degraded, down, unknown })}>
      {shown.map((run) => (
        <i key={run.time} data-state={run.state} title={titleOf(run)} />
      ))}
    </span>
  );

  function titleOf({ time, state, loss, response }: ProbeRunBar): string {
    return [
      format.dateTime(Date.parse(time)),
      t(`probes.state.${state}`),
      response != null && format.duration(response),
      loss != null && t("probes.lossOf", { loss: format.percent(loss, 1) }),
    ]
      .filter(Boolean)
      .join(" · ");
  }
}
