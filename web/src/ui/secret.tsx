/** Something that is shown once: a secret or a link, with a button that copies it. */
import { useState } from "react";
import { useT } from "~/i18n";
import { Button } from "./controls";
import { copyText } from "./copy";
import { Dialog } from "./dialog";
import dialog from "./dialog.module.css";
import styles from "./secret.module.css";

export function Secret({ label, children }: { label: string; children: string }) {
  return (
    <div className={styles.secret}>
      <output aria-label={label}>
        <code>{children}</code>
      </output>
      <CopyButton text={children} />
    </div>
  );
}

/** Copies a text, and says that it did. */
export function CopyButton({ text }: { text: string }) {
  const t = useT();
  const [copied, setCopied] = useState(false);
  return (
    <>
      <Button
        icon="copy"
        onClick={() => {
          copyText(text);
          setCopied(true);
        }}
      >
        {t(copied ? "action.copied" : "action.copy")}
      </Button>
      <span role="status" className="visually-hidden">
        {copied ? t("action.copied") : ""}
      </span>
    </>
  );
}

type SecretDialogProps = { title: string; text: string; label: string; secret: string; onClose: () => void };

export function SecretDialog({ title, text, label, secret, onClose }: SecretDialogProps) {
  const t = useT();
  return (
    <Dialog label={title} onClose={onClose}>
      <div className={dialog.form}>
        <h2>{title}</h2>
        <p>{text}</p>
        <Secret label={label}>{secret}</Secret>
        <div className={dialog.foot}>
          <Button look="primary" onClick={onClose}>
            {t("action.done")}
          </Button>
        </div>
      </div>
    </Dialog>
  );
}

/** The whole address of a path of this server, as it is handed on. */
export function linkOf(path: string): string {
  return new URL(path, location.origin).href;
}
