/** What a file owns says so: in a row in place of its actions, in a form above the fields that cannot be changed there. */
import { useT } from "~/i18n";
import styles from "./managed-by.module.css";
import { Hint } from "./page";

export function ManagedBy({ file }: { file: string }) {
  const t = useT();
  return (
    <span title={t("managed.text", { file })}>
      <Hint>{t("managed.by")}</Hint>
      <span className="visually-hidden">{t("managed.text", { file })}</span>
    </span>
  );
}

export function ManagedNote({ file }: { file: string | null | undefined }) {
  const t = useT();
  if (file == null) return null;
  return (
    <p role="note" className={styles.note}>
      {t("managed.text", { file })}
    </p>
  );
}
