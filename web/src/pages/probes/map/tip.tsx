/** What the node under the pointer or with the focus is, in a corner of the map: it covers nothing and does not move. */
import type { MapNode, MapTrace } from "~/api/schema";
import { useT } from "~/i18n";
import { useFormat } from "~/prefs/use-format";
import styles from "./map.module.css";
import { factsOf, nameOf } from "./marks";

/** Probes that are named. */
const most = 4;

export function NodeTip({ node, traces }: { node: MapNode | undefined; traces: readonly MapTrace[] }) {
  const t = useT();
  const format = useFormat();
  if (node === undefined) return null;
  const name = nameOf(node, t);
  const names = [...new Set(traces.map((trace) => trace.name))];
  const more = names.length - most;
  return (
    <div className={styles.tip} data-read="tip">
      <strong>{name}</strong>
      {node.address != null && node.address !== name && <span className="mono">{node.address}</span>}
      <span>{factsOf(node, t, format).join(" · ")}</span>
      {node.rate_limited && <span>{t("map.limited")}</span>}
      <span className={styles.probes}>
        {names.slice(0, most).join(", ")}
        {more > 0 && ` ${t("map.more", { n: more })}`}
      </span>
    </div>
  );
}
