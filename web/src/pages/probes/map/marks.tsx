/** What nodes and edges of a map look like: a shape and a colour for each state, a frame for agents and targets. */
import type { MapNode, MapNodeKind, ProbeState } from "~/api/schema";
import type { Translate } from "~/i18n";
import type { Format } from "~/prefs/use-format";

export const colours: Readonly<Record<ProbeState, string>> = {
  up: "var(--ok)",
  degraded: "var(--warning)",
  down: "var(--critical)",
  unknown: "var(--text-3)",
};

const shapes: Readonly<Record<ProbeState, string>> = {
  up: "M-6 0a6 6 0 1 0 12 0a6 6 0 1 0-12 0",
  degraded: "M0-7L7 5.5H-7Z",
  down: "M0-7.5L7.5 0L0 7.5L-7.5 0Z",
  unknown: "M-5.5-5.5H5.5V5.5H-5.5Z",
};

/** The shape of a state, as marks of text have it. */
export function StateShape({ state, silent = false }: { state: ProbeState; silent?: boolean }) {
  if (silent) {
    return <circle r="6" fill="var(--bg)" stroke={colours[state]} strokeWidth="1.5" strokeDasharray="3 2.4" />;
  }
  return <path d={shapes[state]} fill={colours[state]} />;
}

/** Agents stand in a square, targets in a circle. */
export function KindFrame({ kind }: { kind: MapNodeKind }) {
  if (kind === "agent") {
    return <rect x="-12" y="-12" width="24" height="24" rx="4" fill="var(--bg)" stroke="var(--text-2)" />;
  }
  return kind === "target" ? <circle r="12" fill="var(--bg)" stroke="var(--text-2)" /> : null;
}

/** An agent without a name: its number without zeros before it. */
export function agentName(agent: string, t: Translate): string {
  return t("map.agent", { agent: agent.replace(/^0+(?=.)/, "") });
}

export function nameOf(node: MapNode, t: Translate): string {
  switch (node.kind) {
    case "agent":
      return node.name ?? agentName(node.agent ?? "", t);
    case "silent":
      return node.silent == null ? t("map.nobody") : t("map.silent", { n: node.silent });
    default:
      return (
        node.name ??
        node.targets?.find((target) => target !== node.address) ??
        node.address ??
        node.targets?.[0] ??
        node.id
      );
  }
}

/** What is said of a node in one line: state, loss, delay, traces. */
export function factsOf(node: MapNode, t: Translate, format: Format): string[] {
  return [
    t(`map.kind.${node.kind}`),
    t(`probes.state.${node.state}`),
    node.loss != null && t("probes.lossOf", { loss: format.percent(node.loss, 1) }),
    node.rtt != null && t("map.rttIs", { rtt: format.duration(node.rtt) }),
    t("map.traces", { n: node.traces }),
  ].filter((word) => word !== false);
}

/** A name that has room below its mark. */
export function shortened(name: string, letters = 22): string {
  return name.length > letters ? `${name.slice(0, letters - 1)}…` : name;
}
