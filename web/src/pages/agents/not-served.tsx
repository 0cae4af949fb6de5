/** Why no agent can be added: the server listens for none. Says which key to set, and how. */
import { Rich } from "~/i18n";
import { Command } from "~/ui/feedback";
import styles from "./agents.module.css";

/** What is written in configuration and commands, the same in every language. */
const key = "agents.listen";
const lines = 'agents:\n  listen: "[::]:8471"';
const flag = "netwatch up --agents-listen [::]:8471";

export function NotServed() {
  return (
    <div role="alert" className={styles.notServed}>
      <p>
        <Rich id="agents.notServed" values={{ key: <code>{key}</code> }} />
      </p>
      <Command>{lines}</Command>
      <p>
        <Rich id="agents.notServedFlag" values={{ flag: <code>{flag}</code> }} />
      </p>
    </div>
  );
}
