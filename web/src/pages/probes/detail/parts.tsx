/** What the details of all kinds are made of: small tables, delays, phases as bars. */
import type { ReactNode } from "react";
import type { ProbeDelays, Wilson } from "~/api/schema";
import { useT } from "~/i18n";
import { type Format, useFormat } from "~/prefs/use-format";
import styles from "../probes.module.css";

type MiniTableProps = {
  label: string;
  /** Headers; those that begin with `>` stand at the right, over numbers. */
  head: readonly string[];
  /** A marked row stands out, and says in a cell why. */
  rows: readonly { key: string; cells: readonly ReactNode[]; marked?: boolean }[];
};

/** A table that is read, not sorted. It scrolls by itself when the place is narrow. */
export function MiniTable({ label, head, rows }: MiniTableProps) {
  const right = head.map((text) => (text.startsWith(">") ? styles.right : undefined));
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by the keyboard
    <section className={styles.scroll} tabIndex={0} aria-label={label}>
      <table aria-label={label} className={styles.mini}>
        <thead>
          <tr>
            {head.map((text, i) => (
              <th key={text} scope="col" className={right[i]}>
                {text.replace(/^>/, "")}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map(({ key, cells, marked }) => (
            <tr key={key} className={marked === true ? styles.marked : undefined}>
              {cells.map((cell, i) => (
                <td key={head[i]} className={right[i]}>
                  {cell}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}

/** All that is known of a set of delays. */
export function DelaysTable({ label, delays }: { label: string; delays: ProbeDelays }) {
  const t = useT();
  const format = useFormat();
  const figures = [
    [t("history.column.min"), delays.min],
    [t("history.column.avg"), delays.mean],
    [t("probe.median"), delays.median],
    [t("history.column.p95"), delays.p95],
    [t("history.column.max"), delays.max],
    [t("probe.deviation"), delays.deviation],
    [t("probe.jitter"), delays.jitter],
    [t("probe.pdv"), delays.pdv_p95],
  ] as const;
  return (
    <MiniTable
      label={label}
      head={figures.map(([name]) => `>${name}`)}
      rows={[{ key: "delays", cells: figures.map(([, value]) => format.duration(value)) }]}
    />
  );
}

/** "12 of 400 lost: 3 % (1.9–5.2 %)". */
export function useLossText(): (lost: number, sent: number, interval?: Wilson) => string {
  const t = useT();
  const format = useFormat();
  return (lost, sent, interval) =>
    interval === undefined
      ? t("probe.lostOf", { lost, sent, share: format.percent(lost, sent) })
      : t("probe.lostWithin", {
          lost,
          sent,
          share: format.percent(lost, sent),
          low: format.percent(interval.low, 1),
          high: format.percent(interval.high, 1),
        });
}

export const phases = ["resolve", "connect", "tls", "first_byte", "transfer"] as const;
export type Phase = (typeof phases)[number];

/** The same phase has the same colour in charts and bars. */
export const phaseColours: Readonly<Record<Phase, string>> = {
  resolve: "var(--series-1)",
  connect: "var(--series-2)",
  tls: "var(--series-3)",
  first_byte: "var(--series-5)",
  transfer: "var(--series-7)",
};

/** Where the seconds of a request went, one after the other. */
export function PhaseBar({ of, whole }: { of: Readonly<Record<Phase, number>>; whole: number }) {
  const t = useT();
  const format = useFormat();
  const text = phases.map((phase) => `${t(`probe.phase.${phase}`)} ${format.duration(of[phase])}`).join(", ");
  return (
    <span role="img" aria-label={text} className={styles.phaseBar}>
      {phases.map((phase) => (
        <i
          key={phase}
          title={`${t(`probe.phase.${phase}`)} ${format.duration(of[phase])}`}
          style={{ width: `${whole > 0 ? (of[phase] / whole) * 100 : 0}%`, background: phaseColours[phase] }}
        />
      ))}
    </span>
  );
}

export function Swatch({ colour }: { colour: string }) {
  return <i className={styles.swatch} style={{ background: colour }} aria-hidden="true" />;
}

/** Text that came from the network. */
export function Wire({ children }: { children: string | number | null | undefined }) {
  return children == null || children === "" ? "–" : <span className="mono">{children}</span>;
}

/** Seconds, or a dash. */
export function seconds(value: number | null | undefined, format: Format): string {
  return value == null ? "–" : format.duration(value);
}
