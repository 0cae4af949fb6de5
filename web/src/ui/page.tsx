/** The template of every page: title line with the one number that matters and the main action, then the content in sections. */
import { type ReactNode, useEffect } from "react";
import styles from "./page.module.css";

type PageProps = { title: string; heading?: ReactNode; number?: ReactNode; actions?: ReactNode; children: ReactNode };

export function Page({ title, heading, number, actions, children }: PageProps) {
  useEffect(() => {
    document.title = `${title} · Netwatch`;
  }, [title]);
  return (
    <div className={styles.page}>
      <header className={styles.title}>
        <h1>{heading ?? title}</h1>
        {number !== undefined && <div className={styles.number}>{number}</div>}
        {actions !== undefined && <div className={styles.actions}>{actions}</div>}
      </header>
      {children}
    </div>
  );
}

type SectionProps = { title: string; hint?: ReactNode; actions?: ReactNode; children: ReactNode };

export function Section({ title, hint, actions, children }: SectionProps) {
  return (
    <section className={styles.section} aria-label={title}>
      <header className={styles.sectionHead}>
        <h2>{title}</h2>
        {hint !== undefined && <span className={styles.hint}>{hint}</span>}
        {actions !== undefined && <div className={styles.actions}>{actions}</div>}
      </header>
      {children}
    </section>
  );
}

/** Names and values, one a line. */
export function Facts({ items }: { items: readonly (readonly [name: string, value: ReactNode] | false)[] }) {
  return (
    <dl className={styles.facts}>
      {items
        .filter((item) => item !== false)
        .map(([name, value]) => [<dt key={`${name}-name`}>{name}</dt>, <dd key={`${name}-value`}>{value}</dd>])}
    </dl>
  );
}

export function Hint({ children }: { children: ReactNode }) {
  return <span className={styles.hint}>{children}</span>;
}
