/** Where the set-up is: its four steps in a line. */
import { useT } from "~/i18n";
import styles from "./welcome.module.css";

const all = ["administrator", "interfaces", "traffic", "invite"] as const;

export function Steps({ current }: { current: (typeof all)[number] }) {
  const t = useT();
  return (
    <ol className={styles.steps} aria-label={t("setUp.steps")}>
      {all.map((step, i) => (
        <li
          key={step}
          aria-current={step === current ? "step" : undefined}
          className={i < all.indexOf(current) ? styles.past : undefined}
        >
          <span className={styles.number}>{i + 1}</span>
          <span>{t(`setUp.step.${step}`)}</span>
        </li>
      ))}
    </ol>
  );
}
