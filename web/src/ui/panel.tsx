/** The side panel of a row: it leaves the list usable, closes on Escape, and gives the focus back. */
import { type ReactNode, useEffect, useRef } from "react";
import { useT } from "~/i18n";
import { Button } from "./controls";
import styles from "./panel.module.css";

type PanelProps = { title: ReactNode; label: string; actions?: ReactNode; onClose: () => void; children: ReactNode };

export function Panel({ title, label, actions, onClose, children }: PanelProps) {
  const t = useT();
  const box = useRef<HTMLElement>(null);
  useEffect(() => {
    const before = document.activeElement;
    return () => {
      if (before instanceof HTMLElement && before.isConnected) before.focus();
    };
  }, []);
  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      const inside =
        event.target === document.body || (event.target as Element).closest?.("[role=dialog],[role=menu]") === null;
      if (event.key === "Escape" && (inside || box.current?.contains(event.target as Node))) onClose();
    };
    addEventListener("keydown", onKey);
    return () => removeEventListener("keydown", onKey);
  }, [onClose]);
  return (
    <aside ref={box} className={styles.panel} aria-label={label}>
      <header className={styles.head}>
        <h2>{title}</h2>
        {actions}
        <Button look="quiet" icon="close" aria-label={t("action.close")} title={t("action.close")} onClick={onClose} />
      </header>
      {children}
    </aside>
  );
}
