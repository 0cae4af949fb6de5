/** A share of the whole as a bar with its figure; the colour is that of the thing. */
import { cssVariable, placeOf } from "~/lib/color";
import { useFormat } from "~/prefs/use-format";
import styles from "./share.module.css";

type ShareProps = { part: number; whole: number; id: string };

export function Share({ part, whole, id }: ShareProps) {
  const format = useFormat();
  const share = whole > 0 ? Math.min(1, part / whole) : 0;
  return (
    <span className={styles.share}>
      {id !== "" && (
        <span className={styles.track}>
          <span className={styles.bar} style={{ width: `${share * 100}%`, background: cssVariable(placeOf(id)) }} />
        </span>
      )}
      <span className={styles.figure}>{format.percent(part, whole)}</span>
    </span>
  );
}
