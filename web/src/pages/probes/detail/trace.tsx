/** A trace: the hops of each path, silent and rate-limited ones marked as what they are. */
import { useState } from "react";
import type { Trace, TraceHop, TracePath } from "~/api/schema";
import { useT } from "~/i18n";
import { useFormat } from "~/prefs/use-format";
import { Mark, type Status, Tabs } from "~/ui/controls";
import { Facts, Hint } from "~/ui/page";
import { asPath, type HopState, hopState, systemName, unanswered } from "../trace-diff";
import { MiniTable, Wire } from "./parts";

export function TraceDetail({ detail }: { detail: Trace }) {
  const t = useT();
  const [chosen, setChosen] = useState("0");
  const path = detail.paths[Number(chosen)] ?? detail.paths[0];
  return (
    <>
      <TraceFacts trace={detail} path={path} />
      {detail.paths.length > 1 && (
        <Tabs
          label={t("trace.paths")}
          value={chosen}
          options={detail.paths.map((one, i) => ({
            value: String(i),
            label: t("trace.path", { n: i + 1, hops: one.hops.length }),
          }))}
          onChange={setChosen}
        />
      )}
      {path !== undefined && <HopTable path={path} label={t("trace.hops")} />}
    </>
  );
}

export function TraceFacts({ trace, path = trace.paths[0] }: { trace: Trace; path?: TracePath | undefined }) {
  const t = useT();
  const format = useFormat();
  const systems = path === undefined ? [] : asPath(path);
  return (
    <Facts
      items={[
        [
          t("probes.target"),
          <Mark key="reached" status={trace.reached ? "ok" : "critical"}>
            {t(trace.reached ? "trace.reached" : "trace.notReached")}
          </Mark>,
        ],
        [t("probes.loss"), format.percent(trace.loss, 1)],
        systems.length > 0 && [t("trace.asPath"), systems.map(systemName).join(" → ")],
        trace.path_mtu != null && [t("trace.mtu"), t("trace.octets", { n: trace.path_mtu })],
        trace.black_hole_after != null && [
          t("trace.blackHole"),
          t("trace.blackHoleText", { ttl: String(trace.black_hole_after) }),
        ],
      ]}
    />
  );
}

const marks: Readonly<Record<HopState, Status>> = {
  clear: "ok",
  lossy: "critical",
  limited: "unknown",
  silent: "silent",
};

export function HopTable({ path, label }: { path: TracePath; label: string }) {
  const t = useT();
  const format = useFormat();
  const rtt = (hop: TraceHop, of: "min" | "median" | "p95" | "max") =>
    hop.rtt == null ? "–" : format.duration(hop.rtt[of]);
  return (
    <MiniTable
      label={label}
      head={[
        `>${t("trace.ttl")}`,
        t("trace.host"),
        t("trace.asn"),
        t("trace.mpls"),
        t("column.state"),
        `>${t("trace.noAnswer")}`,
        `>${t("column.sent")}`,
        `>${t("history.column.min")}`,
        `>${t("probe.median")}`,
        `>${t("history.column.p95")}`,
        `>${t("history.column.max")}`,
      ]}
      rows={path.hops.map((hop) => {
        const state = hopState(hop, path);
        return {
          key: String(hop.ttl),
          cells: [
            String(hop.ttl),
            <HopHost key="host" hop={hop} />,
            <SystemName key="asn" hop={hop} />,
            (hop.mpls ?? []).map(({ label }) => label).join(" / ") || "–",
            <Mark key="state" status={marks[state]}>
              {t(`trace.state.${state}`)}
            </Mark>,
            format.percent(unanswered(hop), 1),
            format.count(hop.sent),
            rtt(hop, "min"),
            rtt(hop, "median"),
            rtt(hop, "p95"),
            rtt(hop, "max"),
          ],
        };
      })}
    />
  );
}

function SystemName({ hop }: { hop: TraceHop }) {
  if (hop.asn == null) return "–";
  const name = systemName({ asn: hop.asn, name: hop.organization });
  return <span title={name}>{hop.organization == null ? name : <Wire>{name}</Wire>}</span>;
}

export function HopHost({ hop }: { hop: TraceHop }) {
  const t = useT();
  if (hop.address == null) return <Hint>{t("trace.state.silent")}</Hint>;
  return (
    <span title={hop.name == null ? hop.address : `${hop.name} (${hop.address})`}>
      <Wire>{hop.address}</Wire> {hop.name != null && <Hint>{hop.name}</Hint>}{" "}
      {(hop.others ?? []).length > 0 && <Hint>{t("trace.others", { addresses: (hop.others ?? []).join(", ") })}</Hint>}
    </span>
  );
}
