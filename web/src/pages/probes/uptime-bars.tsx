/** A period as a row of bars, one for each of its parts: how much of it was up, and what the rest was. */
import type { UptimePart } from "~/api/schema";
import { useT } from "~/i18n";
import { useFormat } from "~/prefs/use-format";
import styles from "./uptime.module.css";
import { type PartState, partState, sharesOf } from "./uptime-state";

/** What stands in a bar from its foot up; what is up fills the rest. */
const order = ["down", "degraded", "unknown", "maintenance"] as const;

export function UptimeBars({ parts, label, wide }: { parts: readonly UptimePart[]; label: string; wide?: boolean }) {
  const title = usePartTitle();
  return (
    <span role="img" aria-label={label} className={`${styles.bars} ${wide === true ? styles.wide : ""}`}>
      {parts.map((part) => {
        const shares = sharesOf(part);
        return (
          <i key={part.from} data-state={partState(part)} title={title(part)}>
            {order.map((state) =>
              shares[state] > 0 ? (
                <b key={state} data-state={state} style={{ height: `${Math.max(12, shares[state] * 100)}%` }} />
              ) : null,
            )}
          </i>
        );
      })}
    </span>
  );
}

/** Time, then the seconds of each state. */
function usePartTitle(): (part: UptimePart) => string {
  const t = useT();
  const format = useFormat();
  return (part) => {
    const states = (["up", "degraded", "down", "maintenance", "unknown"] as const).filter((state) => part[state]);
    return [
      `${format.dateTime(Date.parse(part.from))} – ${format.dateTime(Date.parse(part.to))}`,
      ...states.map((state) => `${t(`uptime.${state}`)} ${format.duration(part[state] ?? 0)}`),
    ].join("\n");
  };
}

/** What the colours mean. */
export function UptimeLegend() {
  const t = useT();
  const states: readonly PartState[] = ["up", "degraded", "down", "maintenance", "unknown"];
  return (
    <ul className={styles.legend} aria-label={t("chart.legend")}>
      {states.map((state) => (
        <li key={state}>
          <i data-state={state} aria-hidden="true" /> {t(`uptime.${state}`)}
        </li>
      ))}
    </ul>
  );
}
