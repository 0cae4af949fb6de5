/** What stands where data will be: an empty state, a problem, a skeleton of the true size; and the fence around each page. */
import { Component, type ReactNode } from "react";
import { RequestError } from "~/api/problem";
import { type Key, useT } from "~/i18n";
import { PasskeyError } from "~/lib/passkey";
import { Button } from "./controls";
import { copyText } from "./copy";
import styles from "./feedback.module.css";

/** What will be here, why it is not, and the one thing to do. */
export function Empty({ title, children, action }: { title: string; children?: ReactNode; action?: ReactNode }) {
  return (
    <div className={styles.box}>
      <h2>{title}</h2>
      {children}
      {action}
    </div>
  );
}

/** A command to run, with a button that copies it. */
export function Command({ children }: { children: string }) {
  const t = useT();
  return (
    <div className={styles.command}>
      <code>{children}</code>
      <Button
        look="quiet"
        icon="copy"
        aria-label={t("action.copy")}
        title={t("action.copy")}
        onClick={() => copyText(children)}
      />
    </div>
  );
}

/** What happened, to what, and the next step. */
export function ProblemBox({ error, subject, onRetry }: { error: unknown; subject: string; onRetry?: () => void }) {
  const t = useT();
  return (
    <Refusal subject={subject} {...(onRetry !== undefined && { onRetry })}>
      {problemText(error, t)}
    </Refusal>
  );
}

/** The same, in words of the page instead of those of the server. */
export function Refusal({ subject, onRetry, children }: { subject: string; onRetry?: () => void; children: string }) {
  const t = useT();
  return (
    <div role="alert" className={styles.problem}>
      <p>
        <strong>{t("problem.subject", { subject })}</strong> {children}
      </p>
      {onRetry !== undefined && <Button onClick={onRetry}>{t("action.retry")}</Button>}
    </div>
  );
}

export function problemText(error: unknown, t: (key: Key) => string): string {
  if (error instanceof RequestError) return error.problem?.detail ?? t("problem.unreachable");
  if (error instanceof PasskeyError) return t(error.reason);
  return t("problem.defect");
}

export function Skeleton({ height, width = "100%" }: { height: number; width?: number | string }) {
  return <div className={styles.skeleton} style={{ height, width }} aria-hidden="true" />;
}

type FenceProps = { fallback: (error: unknown, reset: () => void) => ReactNode; children: ReactNode };

/** Keeps a defect in one part of the page from taking the rest with it. */
export class Fence extends Component<FenceProps, { error: unknown; failed: boolean }> {
  override state = { error: undefined as unknown, failed: false };

  static getDerivedStateFromError(error: unknown) {
    return { error, failed: true };
  }

  readonly reset = () => this.setState({ error: undefined, failed: false });

  override render() {
    return this.state.failed ? this.props.fallback(this.state.error, this.reset) : this.props.children;
  }
}

export function Centered({ children }: { children: ReactNode }) {
  return <main className={`${styles.box} ${styles.center}`}>{children}</main>;
}
