/** What stands around every page of who is not in yet: the mark, one heading, one narrow column. */
import { type ReactNode, useEffect } from "react";
import { Logo } from "~/ui/icons";
import styles from "./entry.module.css";

export function Entry({ title, wide = false, children }: { title: string; wide?: boolean; children: ReactNode }) {
  useEffect(() => {
    document.title = `${title} · Netwatch`;
  }, [title]);
  return (
    <main className={`${styles.entry} ${wide ? styles.wide : ""}`}>
      <Logo />
      <h1>{title}</h1>
      {children}
    </main>
  );
}
