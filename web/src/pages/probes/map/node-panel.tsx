/** A node of the map in full: its figures, and the traces that pass it, with the way to each. */
import { Link, useSearch } from "@tanstack/react-router";
import type { MapNode, MapTrace, NetworkMap } from "~/api/schema";
import type { AppSearch } from "~/app/search";
import { useT } from "~/i18n";
import { paths } from "~/lib/paths";
import { useFormat } from "~/prefs/use-format";
import { Mark } from "~/ui/controls";
import { Facts, Hint, Section } from "~/ui/page";
import { Panel } from "~/ui/panel";
import { TimeAgo } from "~/ui/time-ago";
import { Value } from "~/ui/value";
import { marks } from "../state";
import styles from "./map.module.css";
import { agentName, nameOf } from "./marks";
import { tracesThrough } from "./selection";

/** Traces that are listed. */
const most = 100;

type NodePanelProps = { map: NetworkMap; node: MapNode; onClose: () => void };

export function NodePanel({ map, node, onClose }: NodePanelProps) {
  const t = useT();
  const traces = tracesThrough(map, node.id);
  const name = nameOf(node, t);
  return (
    <Panel title={name} label={t("map.panel", { name })} onClose={onClose}>
      <p>
        <Mark status={node.kind === "silent" && node.state === "up" ? "silent" : marks[node.state]}>
          {t(`probes.state.${node.state}`)}
        </Mark>
      </p>
      <NodeFacts map={map} node={node} />
      <Section title={t("map.tracesHere")} hint={t("map.traces", { n: traces.length })}>
        <ul className={styles.traces}>
          {traces.slice(0, most).map((trace) => (
            <Trace key={`${trace.probe} ${trace.agent}`} trace={trace} nodes={map.nodes} />
          ))}
        </ul>
        {traces.length > most && <Hint>{t("map.more", { n: traces.length - most })}</Hint>}
      </Section>
    </Panel>
  );
}

function NodeFacts({ map, node }: { map: NetworkMap; node: MapNode }) {
  const t = useT();
  const format = useFormat();
  const system = map.systems.find(({ asn }) => asn === node.asn);
  const { address, agent, targets = [], loss, rtt, rtt_min: least } = node;
  return (
    <Facts
      items={[
        [t("map.what"), t(`map.kind.${node.kind}`)],
        address != null && [t("map.address"), <Value key="address" text={address} host={address} elsewhere />],
        node.name != null && [t("list.name"), <span key="name">{node.name}</span>],
        targets.length > 0 && [t("probes.target"), targets.join(", ")],
        agent != null && [
          t("probe.agent"),
          <span key="agent" className="mono">
            {agent}
          </span>,
        ],
        node.asn != null && [t("trace.asn"), `AS${node.asn} ${system?.name ?? ""}`.trim()],
        node.network != null && [t("map.network"), node.network],
        [t("map.distance"), t("map.hops", { n: node.distance })],
        loss != null && [t("probes.loss"), format.percent(loss, 1)],
        rtt != null && [t("map.rtt"), format.duration(rtt)],
        least != null && [t("map.rttMin"), format.duration(least)],
        node.sent > 0 && [
          t("map.answers"),
          t(node.rate_limited ? "map.answersLimited" : "map.answersOf", {
            answered: format.count(node.answered),
            sent: format.count(node.sent),
          }),
        ],
        node.kind === "silent" && [t("map.why"), t(node.silent == null ? "map.nobodyText" : "map.silentText")],
      ]}
    />
  );
}

function Trace({ trace, nodes }: { trace: MapTrace; nodes: readonly MapNode[] }) {
  const t = useT();
  const format = useFormat();
  const search = useSearch({ strict: false }) as AppSearch;
  const agent = nodes.find(({ kind, agent }) => kind === "agent" && agent === trace.agent);
  return (
    <li>
      <Mark status={trace.old ? "unknown" : marks[trace.state]}>
        {t(trace.old ? "map.old" : `probes.state.${trace.state}`)}
      </Mark>
      <Link {...paths.probe(trace.probe, search)}>{trace.name}</Link>
      <span className="mono">{trace.target}</span>
      <small>
        {[
          agent === undefined ? agentName(trace.agent, t) : nameOf(agent, t),
          trace.rtt != null && format.duration(trace.rtt),
          t("probes.lossOf", { loss: format.percent(trace.loss, 1) }),
          trace.paths.length > 1 && t("map.paths", { n: trace.paths.length }),
        ]
          .filter((word) => word !== false)
          .join(" · ")}
      </small>
      <small>
        <Link {...paths.traces(trace.probe, search, { trace: trace.time })}>
          {t("page.traces")} <TimeAgo time={trace.time} />
        </Link>
      </small>
    </li>
  );
}
