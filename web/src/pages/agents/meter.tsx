/** How much of something is used: a bar with its share, in the colour of a warning when little is left. */
import { useFormat } from "~/prefs/use-format";
import styles from "./agents.module.css";

/** Shares from which on little and almost nothing is left. */
const [little, nothing] = [0.85, 0.95];

export function Meter({ share, label }: { share: number; label: string }) {
  const format = useFormat();
  const value = Math.min(1, Math.max(0, share));
  const text = format.percent(value, 1);
  return (
    <span className={styles.used} data-level={value >= nothing ? "critical" : value >= little ? "warning" : undefined}>
      <span role="img" aria-label={`${label}: ${text}`} className={styles.track}>
        <i style={{ width: `${value * 100}%` }} />
      </span>
      <span className={styles.figure}>{text}</span>
    </span>
  );
}
