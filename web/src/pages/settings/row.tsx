/** One line of settings: what it is, what it means, and the control. */
import type { ReactNode } from "react";
import styles from "./settings.module.css";

export function Row({ title, text, children }: { title: string; text?: ReactNode; children: ReactNode }) {
  return (
    <div className={styles.row}>
      <div>
        {title}
        {text !== undefined && <p>{text}</p>}
      </div>
      {children}
    </div>
  );
}
