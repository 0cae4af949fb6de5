/** The five largest of a kind, as lines of name, share and rate: for overviews and panels. */
import type { Dimension, Talker } from "~/api/schema";
import { useT } from "~/i18n";
import { cssVariable, placesOf } from "~/lib/color";
import { useFormat } from "~/prefs/use-format";
import { useTop } from "~/stream/use-top";
import { useTime } from "~/time/time";
import { problemText, Skeleton } from "./feedback";
import styles from "./top-five.module.css";
import { Value } from "./value";

const rows = 5;

type TopFiveProps = { by: Dimension; filter?: string | undefined; elsewhere?: boolean };

export function TopFive({ by, filter, elsewhere = false }: TopFiveProps) {
  const t = useT();
  const { data, error, stale } = useTop({ by, limit: rows, ...(filter && { filter }) }, useTime());
  if (error !== undefined && error !== null) return <p className={styles.none}>{problemText(error, t)}</p>;
  if (data === undefined) return <Skeleton height={rows * 28} />;
  const seconds = Math.max(1, (Date.parse(data.to) - Date.parse(data.from)) / 1000);
  return (
    <TalkerLines
      items={data.items}
      total={data.total.octets}
      seconds={seconds}
      by={by}
      elsewhere={elsewhere}
      dimmed={stale}
    />
  );
}

type TalkerLinesProps = {
  items: readonly Talker[];
  /** Octets of all, of which the items are shares. */
  total: number;
  seconds: number;
  by: Dimension;
  elsewhere?: boolean;
  dimmed?: boolean;
};

export function TalkerLines({ items, total, seconds, by, elsewhere = false, dimmed = false }: TalkerLinesProps) {
  const t = useT();
  const format = useFormat();
  const largest = items[0]?.octets ?? 0;
  const places = placesOf(items.map(({ key }) => key));
  if (items.length === 0) return <p className={styles.none}>{t(emptyText(by))}</p>;
  return (
    <ol className={`${styles.list} ${dimmed ? styles.dimmed : ""}`}>
      {items.map((item, i) => (
        <li key={item.key} className={styles.line}>
          <span
            className={styles.bar}
            style={{
              width: `${largest > 0 ? (item.octets / largest) * 100 : 0}%`,
              background: cssVariable(places[i] ?? 0),
            }}
          />
          <span className={styles.name}>
            <Value
              text={item.label}
              term={item.filter}
              host={by === "host" ? item.key : undefined}
              elsewhere={elsewhere}
            />
          </span>
          <span className={styles.share}>{format.percent(item.octets, total)}</span>
          <span className={styles.rate}>{format.rate(item.octets / seconds)}</span>
        </li>
      ))}
    </ol>
  );
}

function emptyText(by: Dimension) {
  if (by === "process") return "talkers.noneProcess" as const;
  return by === "name" ? ("talkers.noneName" as const) : ("talkers.noneText" as const);
}
