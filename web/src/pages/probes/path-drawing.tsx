/** The paths of the traces of a range, drawn by distance downwards: width is share, what is shown is strong. A table stands behind. */
import { useMemo } from "react";
import type { ProbeResult, Trace } from "~/api/schema";
import { useT } from "~/i18n";
import { useFormat } from "~/prefs/use-format";
import { Section } from "~/ui/page";
import { MiniTable } from "./detail/parts";
import { type GraphEdge, type GraphNode, graphOf, pathShares } from "./path-graph";
import styles from "./traces.module.css";

type Snapshot = { result: ProbeResult; trace: Trace };
type PathDrawingProps = { all: readonly Snapshot[]; shown: Trace };

/** Pixels: of a distance, of a lane, before the first lane, and of the widest edge. */
const row = 34;
const column = 230;
const margin = 44;
const widest = 11;
/** Paths that the table lists. */
const mostPaths = 10;

export function PathDrawing({ all, shown }: PathDrawingProps) {
  const t = useT();
  const format = useFormat();
  const graph = useMemo(
    () =>
      graphOf(
        all.map(({ trace }) => trace),
        shown,
      ),
    [all, shown],
  );
  const shares = useMemo(
    () => pathShares(all.map(({ result, trace }) => ({ time: Date.parse(result.start), trace }))),
    [all],
  );
  const distances = [...new Set(graph.nodes.map(({ ttl }) => ttl))];
  if (distances.length === 0) return null;
  const place = (ttl: number, lane: number) => ({
    x: margin + lane * column,
    y: (distances.indexOf(ttl) + 0.5) * row,
  });
  const [width, height] = [margin + graph.lanes * column, distances.length * row];
  const label = t("trace.sharesText", { n: shares.length });
  return (
    <Section title={t("trace.shares")} hint={t("trace.sharesHint", { n: all.length })}>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by the keyboard */}
      <section className={styles.drawing} tabIndex={0} aria-label={label}>
        <svg width={width} height={height} viewBox={`0 0 ${width} ${height}`} role="img" aria-label={label}>
          {distances.map((ttl) => (
            <text key={ttl} x={0} y={place(ttl, 0).y} className={styles.ttl}>
              {ttl}
            </text>
          ))}
          {graph.edges.map((edge) => (
            <Edge key={`${edge.ttl} ${edge.from} ${edge.nextTtl} ${edge.to}`} edge={edge} place={place} />
          ))}
          {graph.nodes.map((node) => (
            <Node key={`${node.ttl} ${node.lane}`} node={node} at={place(node.ttl, node.lane)} />
          ))}
        </svg>
      </section>
      <MiniTable
        label={t("trace.paths")}
        head={[
          t("trace.pathId"),
          `>${t("trace.share")}`,
          `>${t("trace.taken")}`,
          `>${t("trace.hopCount")}`,
          t("trace.first"),
          t("trace.last"),
        ]}
        rows={shares.slice(0, mostPaths).map((path) => ({
          key: path.id,
          cells: [
            <span key="id" className="mono">
              {path.id}
            </span>,
            format.percent(path.share, 1),
            format.count(path.traces),
            format.count(path.hops),
            format.dateTime(path.first),
            format.dateTime(path.last),
          ],
        }))}
      />
    </Section>
  );
}

type Place = (ttl: number, lane: number) => { x: number; y: number };

function Edge({ edge, place }: { edge: GraphEdge; place: Place }) {
  const [from, to] = [place(edge.ttl, edge.from), place(edge.nextTtl, edge.to)];
  const middle = (from.y + to.y) / 2;
  return (
    <path
      className={edge.shown ? styles.edgeShown : styles.edge}
      d={`M${from.x} ${from.y}C${from.x} ${middle} ${to.x} ${middle} ${to.x} ${to.y}`}
      strokeWidth={Math.max(1.5, edge.share * widest)}
    />
  );
}

/** Letters of a label that fit before the next lane. */
const letters = 26;

function Node({ node, at }: { node: GraphNode; at: { x: number; y: number } }) {
  const t = useT();
  const format = useFormat();
  const { address, name, asn, share, merged, shown } = node;
  const silent = address === undefined && merged === 0;
  const word = merged > 0 ? t("trace.others.merged", { n: merged }) : (address ?? t("trace.state.silent"));
  const part = share < 0.9995 ? format.percent(share, 1) : undefined;
  const second = [part, name].filter(Boolean).join(" · ");
  const title = [word, name, asn !== undefined && `AS${asn}`, format.percent(share, 1)].filter(Boolean).join(" · ");
  return (
    <g className={shown ? styles.nodeShown : styles.node}>
      <title>{title}</title>
      <circle cx={at.x} cy={at.y} r={5} className={silent ? styles.silent : undefined} />
      <text x={at.x + 14} y={second === "" ? at.y : at.y - 6} className={styles.address}>
        {cut(word)}
      </text>
      {second !== "" && (
        <text x={at.x + 14} y={at.y + 8} className={styles.second}>
          {cut(second)}
        </text>
      )}
    </g>
  );
}

function cut(text: string): string {
  return text.length <= letters ? text : `${text.slice(0, letters - 1)}…`;
}
