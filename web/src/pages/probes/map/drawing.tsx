/**
 * The map as a drawing: agents left, targets right, systems as areas behind, edges as thick as their share. Pointing at a node or
 * having the focus on it shows what it is, and everything that the traces through it touch.
 *
 * One node is in the tab order; arrows go to the next, Enter opens. Limits: some hundred nodes at the pace of the screen.
 */
import { type KeyboardEvent, memo, useMemo, useRef, useState } from "react";
import type { MapEdge, MapNode, NetworkMap } from "~/api/schema";
import { useT } from "~/i18n";
import { grouped } from "~/lib/grouped";
import { useFormat } from "~/prefs/use-format";
import { Canvas } from "./canvas";
import { hullOf } from "./hull";
import { type LaidEdge, type Layout, layoutOf } from "./layout";
import styles from "./map.module.css";
import { colours, factsOf, KindFrame, nameOf, StateShape, shortened } from "./marks";
import { edgeKey, edgesBetween, passing, shapeOf } from "./selection";
import { NodeTip } from "./tip";
import { nearest } from "./viewport";

type DrawingProps = {
  map: NetworkMap;
  /** Nodes that a text fits; none when nothing is searched for. */
  found: ReadonlySet<string> | undefined;
  selected: string | undefined;
  onSelect: (node: string) => void;
};

const arrows: Readonly<Record<string, readonly [number, number]>> = {
  ArrowLeft: [-1, 0],
  ArrowRight: [1, 0],
  ArrowUp: [0, -1],
  ArrowDown: [0, 1],
};
/** How far a mark with its name reaches. */
const reach = { left: 68, right: 68, top: 20, bottom: 38 };
/** About how wide a letter of an area's name is. */
const letter = 6.6;

export function Drawing({ map, found, selected, onSelect }: DrawingProps) {
  const t = useT();
  const layout = useLayout(map);
  const [over, setOver] = useState<string>();
  const [focused, setFocused] = useState<string>();
  const [byKey, setByKey] = useState(false);
  const drawing = useRef<SVGGElement>(null);
  const nodes = useMemo(() => new Map(map.nodes.map((node) => [node.id, node])), [map]);
  const active = [over, focused, selected].find((id) => id !== undefined && nodes.has(id));
  const lit = useMemo(() => (active === undefined ? undefined : passing(map, active)), [map, active]);
  const between = useMemo(() => (found === undefined ? undefined : edgesBetween(map, found)), [map, found]);
  const entry = focused !== undefined && nodes.has(focused) ? focused : map.nodes[0]?.id;
  const onKeyDown = (event: KeyboardEvent) => {
    const arrow = arrows[event.key];
    if (arrow === undefined || focused === undefined) return;
    event.preventDefault();
    const next = nearest(layout.places, focused, arrow);
    if (next === undefined) return;
    setByKey(true);
    drawing.current?.querySelector<SVGGElement>(`[data-node="${CSS.escape(next)}"]`)?.focus({ preventScroll: true });
  };
  const shown = byKey && focused !== undefined ? layout.places.get(focused) : undefined;
  const content = {
    left: -reach.left,
    top: -34,
    right: layout.width + reach.right,
    bottom: layout.height + reach.bottom,
  };
  return (
    <Canvas
      label={t("page.map")}
      content={content}
      shown={shown}
      onKeyDown={onKeyDown}
      over={active !== undefined && <NodeTip node={nodes.get(active)} traces={lit?.traces ?? []} />}
    >
      <g ref={drawing}>
        <Areas map={map} layout={layout} />
        <Edges map={map} layout={layout} lit={lit?.edges ?? between} />
        {map.nodes.map((node) => (
          <Node
            key={node.id}
            node={node}
            x={layout.places.get(node.id)?.x ?? 0}
            y={layout.places.get(node.id)?.y ?? 0}
            faint={(lit !== undefined && !lit.nodes.has(node.id)) || (found !== undefined && !found.has(node.id))}
            found={found?.has(node.id) === true}
            selected={node.id === selected}
            entry={node.id === entry}
            onOver={setOver}
            onFocus={setFocused}
            onOpen={onSelect}
          />
        ))}
      </g>
    </Canvas>
  );
}

/** The places of a map, made anew when its shape changes, from those that were there. */
function useLayout(map: NetworkMap): Layout {
  const last = useRef<{ shape: string; layout: Layout }>(undefined);
  const shape = useMemo(() => shapeOf(map), [map]);
  if (last.current?.shape !== shape) {
    const nodes = map.nodes.map(({ id, kind, asn }) => ({
      id,
      isStart: kind === "agent",
      isEnd: kind === "target",
      group: asn == null ? undefined : String(asn),
    }));
    last.current = { shape, layout: layoutOf({ nodes, edges: map.edges }, last.current?.layout) };
  }
  return last.current.layout;
}

/** Autonomous systems, behind everything. */
const Areas = memo(function Areas({ map, layout }: { map: NetworkMap; layout: Layout }) {
  const names = new Map(map.systems.map(({ asn, name }) => [asn, name]));
  const groups = grouped(
    map.nodes.filter(({ asn }) => asn != null),
    ({ asn }) => asn ?? 0,
  );
  return [...groups].map(([asn, members]) => {
    const places = members.flatMap(({ id }) => layout.places.get(id) ?? []);
    const corners = hullOf(places, { ...reach, top: 26 });
    const top = Math.min(...corners.map(({ y }) => y));
    const upper = corners.filter(({ y }) => y === top).map(({ x }) => x);
    const left = Math.min(...upper);
    const room = Math.floor((Math.max(...upper) - left) / letter);
    const outline = `M${corners.map(({ x, y }) => `${x} ${y}`).join("L")}Z`;
    const name = `AS${asn} ${names.get(asn) ?? ""}`.trimEnd();
    return (
      <g key={asn} data-system={asn}>
        <path d={outline} className={styles.areaEdge} />
        <path d={outline} className={styles.area} />
        <text x={left + 2} y={top + 8} className={styles.areaName}>
          <title>{name}</title>
          {shortened(name, Math.max(room, 9))}
        </text>
      </g>
    );
  });
});

type EdgesProps = { map: NetworkMap; layout: Layout; lit: ReadonlySet<string> | undefined };

const Edges = memo(function Edges({ map, layout, lit }: EdgesProps) {
  const edges = new Map(map.edges.map((edge) => [edgeKey(edge.from, edge.to), edge]));
  return layout.edges.map((laid) => {
    const key = edgeKey(laid.from, laid.to);
    const edge = edges.get(key);
    return edge && <Edge key={key} edge={edge} laid={laid} faint={lit !== undefined && !lit.has(key)} />;
  });
});

function Edge({ edge, laid, faint }: { edge: MapEdge; laid: LaidEdge; faint: boolean }) {
  const isSilent = edge.from.startsWith("silent:") || edge.to.startsWith("silent:");
  const isBad = edge.state === "degraded" || edge.state === "down";
  const [a, b] = [laid.points[0], laid.points[1]];
  return (
    <g className={styles.edge} data-faint={faint || undefined} data-edge={edge.state}>
      <path
        d={curve(laid)}
        stroke={isBad ? colours[edge.state] : edge.state === "unknown" ? "var(--line-strong)" : "var(--text-3)"}
        strokeWidth={1 + 3 * edge.share}
        {...(isSilent ? { strokeDasharray: "5 4" } : edge.state === "unknown" ? { strokeDasharray: "1.5 3" } : {})}
      />
      {isBad && a !== undefined && b !== undefined && (
        <g transform={`translate(${(a.x + b.x) / 2} ${(a.y + b.y) / 2 - (laid.isBack ? 30 : 0)}) scale(0.8)`}>
          <StateShape state={edge.state} />
        </g>
      )}
    </g>
  );
}

/** Flat where it leaves and arrives; ways back go above. */
function curve({ points, isBack }: LaidEdge): string {
  const [first, ...rest] = points;
  if (first === undefined) return "";
  let [{ x, y }, path] = [first, `M${first.x} ${first.y}`];
  for (const next of rest) {
    const bend = isBack ? 40 : (next.x - x) / 2;
    path += isBack
      ? `C${x} ${y - bend} ${next.x} ${next.y - bend} ${next.x} ${next.y}`
      : `C${x + bend} ${y} ${next.x - bend} ${next.y} ${next.x} ${next.y}`;
    ({ x, y } = next);
  }
  return path;
}

type NodeProps = {
  node: MapNode;
  x: number;
  y: number;
  faint: boolean;
  found: boolean;
  selected: boolean;
  entry: boolean;
  onOver: (id: string | undefined) => void;
  onFocus: (id: string | undefined) => void;
  onOpen: (id: string) => void;
};

const Node = memo(function Node({ node, x, y, faint, found, selected, entry, onOver, onFocus, onOpen }: NodeProps) {
  const t = useT();
  const format = useFormat();
  const { id, kind, state, rtt } = node;
  const name = nameOf(node, t);
  const [short, time] = [shortened(name), rtt == null ? undefined : format.duration(rtt)];
  // What is spoken begins with what is seen.
  const seen = time === undefined ? short : `${short} ${time}`;
  return (
    // biome-ignore lint/a11y/useSemanticElements: there is no button in a drawing
    <g
      role="button"
      tabIndex={entry ? 0 : -1}
      aria-label={[seen, ...(seen.startsWith(name) ? [] : [name]), ...factsOf(node, t, format)].join(", ")}
      aria-pressed={selected}
      className={styles.node}
      transform={`translate(${x} ${y})`}
      data-node={id}
      data-kind={kind}
      data-state={state}
      data-faint={faint || undefined}
      data-found={found || undefined}
      onPointerEnter={() => onOver(id)}
      onPointerLeave={() => onOver(undefined)}
      onFocus={() => onFocus(id)}
      onBlur={() => onFocus(undefined)}
      onClick={() => onOpen(id)}
      onKeyDown={(event) => {
        if (event.key !== "Enter" && event.key !== " ") return;
        event.preventDefault();
        onOpen(id);
      }}
    >
      <circle r="17" className={styles.ring} />
      <KindFrame kind={kind} />
      <StateShape state={state} silent={kind === "silent"} />
      <text y="26" textAnchor="middle" className={styles.name}>
        {short}
      </text>
      {/* Else name and figure are read as one word. */ " "}
      {time !== undefined && (
        <text y="38" textAnchor="middle" className={styles.figure}>
          {time}
        </text>
      )}
    </g>
  );
});
