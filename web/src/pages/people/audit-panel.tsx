/** One record of the audit log with everything that it holds: before and after, and its place in the chain. */
import type { AuditRecord } from "~/api/schema";
import { useT } from "~/i18n";
import { useFormat } from "~/prefs/use-format";
import { Facts, Section } from "~/ui/page";
import { Panel } from "~/ui/panel";
import styles from "./audit.module.css";
import { isAction } from "./audit-actions";

import { useActor } from "./use-actor";

export function AuditPanel({ record, onClose }: { record: AuditRecord; onClose: () => void }) {
  const t = useT();
  const format = useFormat();
  const actorOf = useActor();
  const action = isAction(record.action) ? t(`audit.action.${record.action}`) : record.action;
  const { object } = record;
  return (
    <Panel label={t("audit.record")} title={action} onClose={onClose}>
      <Facts
        items={[
          [t("audit.time"), format.moment(Date.parse(record.time))],
          [t("audit.actor"), actorOf(record.actor)],
          [t("audit.address"), <Code key="address">{record.address}</Code>],
          [t("audit.action"), <Code key="action">{record.action}</Code>],
          [
            t("audit.object"),
            <Code key="object">{[object.kind, object.name, object.id].filter(Boolean).join(" · ")}</Code>,
          ],
          [t("audit.outcome"), t(record.outcome === "refused" ? "audit.outcome.refused" : "audit.outcome.done")],
        ]}
      />
      <Changes record={record} />
      <Section title={t("audit.chain")}>
        <Facts
          items={[
            [t("audit.sequence"), format.count(record.sequence)],
            [t("audit.hash"), <Code key="hash">{record.hash}</Code>],
            [t("audit.previous"), <Code key="previous">{record.previous}</Code>],
          ]}
        />
      </Section>
    </Panel>
  );
}

function Code({ children }: { children: string | null | undefined }) {
  return <span className="mono">{children ?? "–"}</span>;
}

function Changes({ record: { before, after } }: { record: AuditRecord }) {
  const t = useT();
  const names = [...new Set([...Object.keys(before ?? {}), ...Object.keys(after ?? {})])].sort();
  if (names.length === 0) return null;
  return (
    <Section title={t("audit.changes")}>
      <table className={styles.changes}>
        <thead>
          <tr>
            <th scope="col" className={styles.head}>
              {t("audit.field")}
            </th>
            <th scope="col" className={styles.head}>
              {t("audit.before")}
            </th>
            <th scope="col" className={styles.head}>
              {t("audit.after")}
            </th>
          </tr>
        </thead>
        <tbody>
          {names.map((name) => (
            <tr key={name}>
              <th scope="row" className={styles.name}>
                {name}
              </th>
              <td className="mono">{before?.[name] ?? "–"}</td>
              <td className="mono">{after?.[name] ?? "–"}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </Section>
  );
}
