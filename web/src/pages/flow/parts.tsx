/** What is known of one flow, in the pieces that panel and page share. */
import type { Flow } from "~/api/schema";
import { useT } from "~/i18n";
import { durationOf, endpoint, meanRate, protocolName } from "~/lib/dimension";
import { term } from "~/lib/filter";
import { useFormat } from "~/prefs/use-format";
import { EndReason, FlowState } from "~/ui/flow-state";
import { Facts, Section } from "~/ui/page";
import { Value } from "~/ui/value";
import styles from "./flow.module.css";

type PartProps = { flow: Flow; elsewhere?: boolean };

/** Both ends on one line: who asked whom. */
export function Ends({ flow }: { flow: Flow }) {
  const t = useT();
  return (
    <span className="mono">
      <span className={styles.end}>{endpoint(flow.source, flow.source_port)}</span>
      <span className={styles.arrow} title={t("flow.direction")}>
        →
      </span>
      <span className={styles.end}>{endpoint(flow.destination, flow.icmp_id == null ? flow.destination_port : 0)}</span>
    </span>
  );
}

export function FlowFacts({ flow, elsewhere = false }: PartProps) {
  const t = useT();
  const value = (text: string, filter: string, host?: string) => (
    <Value text={text} term={filter} host={host} elsewhere={elsewhere} />
  );
  const { process, tunnel } = flow;
  return (
    <Facts
      items={[
        [t("column.source"), value(flow.source, term("src", flow.source, true), flow.source)],
        flow.source_port > 0 && [
          t("flow.sourcePort"),
          value(String(flow.source_port), term("sport", flow.source_port)),
        ],
        [t("column.destination"), value(flow.destination, term("dst", flow.destination, true), flow.destination)],
        flow.icmp_id == null
          ? flow.destination_port > 0 && [
              t("flow.destinationPort"),
              value(String(flow.destination_port), term("dport", flow.destination_port)),
            ]
          : [
              t("flow.icmp"),
              t("flow.icmpValue", {
                type: flow.destination_port >> 8,
                code: flow.destination_port & 255,
                id: flow.icmp_id,
              }),
            ],
        [t("column.protocol"), value(protocolName(flow.protocol), term("protocol", protocolName(flow.protocol), true))],
        [t("column.application"), value(flow.application, term("application", flow.application))],
        flow.name != null && [
          t("column.name"),
          <>
            {value(flow.name, term("name", flow.name))}{" "}
            {flow.name_source != null && (
              <small>({t("flow.nameFrom", { source: flow.name_source.toUpperCase() })})</small>
            )}
          </>,
        ],
        process != null && [
          t("column.process"),
          <>
            {value(process.name, term("process", process.name))} {t("flow.pid", { pid: String(process.pid) })}
          </>,
        ],
        process != null && process.user !== "" && [t("flow.user"), value(process.user, term("user", process.user))],
        process?.container != null && [
          t("flow.container"),
          value(process.container, term("container", process.container)),
        ],
        [t("column.interface"), value(flow.interface, term("interface", flow.interface))],
        flow.vlan.length > 0 && [t("column.vlan"), flow.vlan.join(" · ")],
        tunnel != null && [t("flow.tunnel"), `${tunnel.kind.toUpperCase()}${tunnel.id > 0 ? ` ${tunnel.id}` : ""}`],
      ]}
    />
  );
}

export function FlowTimes({ flow }: { flow: Flow }) {
  const t = useT();
  const format = useFormat();
  const moment = (time: string) => <time title={time}>{format.moment(Date.parse(time))}</time>;
  return (
    <Facts
      items={[
        [t("column.state"), <FlowState key="state" flow={flow} />],
        [t("flow.ending"), <EndReason key="reason" reason={flow.end_reason} />],
        [t("flow.first"), moment(flow.start)],
        [t("flow.last"), moment(flow.end)],
        [t("column.duration"), format.duration(durationOf(flow))],
        [t("flow.meanRate"), format.rate(meanRate(flow))],
      ]}
    />
  );
}

export function FlowVolume({ flow }: { flow: Flow }) {
  const t = useT();
  const format = useFormat();
  const lines = [
    [t("flow.octets"), format.volume(flow.octets), format.volume(flow.reverse_octets)],
    [t("flow.frameOctets"), format.volume(flow.l2_octets), format.volume(flow.reverse_l2_octets)],
    [t("column.packets"), format.count(flow.packets), format.count(flow.reverse_packets)],
  ] as const;
  return <TwoWay lines={lines} />;
}

/** Round trips on both sides of the point of capture, the application's time, and what was sent again. */
export function TcpQuality({ flow }: { flow: Flow }) {
  const t = useT();
  const format = useFormat();
  const { tcp } = flow;
  if (tcp == null) return null;
  const time = (seconds: number | null | undefined) => (seconds == null ? t("flow.notSeen") : format.duration(seconds));
  const share = (again: number, packets: number) =>
    again === 0 ? "0" : `${format.count(again)} (${format.percent(again, packets)})`;
  return (
    <Section title={t("flow.quality")} hint={t("flow.qualityHint")}>
      <div className={styles.path}>
        <span>{t("flow.client")}</span>
        <i>
          {time(tcp.client_rtt)}
          <small>{t("flow.clientRtt")}</small>
        </i>
        <small>{t("flow.capturePoint")}</small>
        <i>
          {time(tcp.server_rtt)}
          <small>{t("flow.serverRtt")}</small>
        </i>
        <span>{t("flow.server")}</span>
      </div>
      <Facts items={[[t("flow.responseTime"), time(tcp.response_time)]]} />
      <TwoWay
        lines={[
          [
            t("flow.retransmitted"),
            share(tcp.retransmitted, flow.packets),
            share(tcp.reverse_retransmitted, flow.reverse_packets),
          ],
          [
            t("flow.outOfOrder"),
            share(tcp.out_of_order, flow.packets),
            share(tcp.reverse_out_of_order, flow.reverse_packets),
          ],
          [
            t("flow.duplicates"),
            share(tcp.duplicates, flow.packets),
            share(tcp.reverse_duplicates, flow.reverse_packets),
          ],
          [t("flow.zeroWindows"), format.count(tcp.zero_windows), format.count(tcp.reverse_zero_windows)],
          [t("flow.resets"), yesNo(tcp.flags), yesNo(tcp.reverse_flags)],
          [t("flow.flags"), tcp.flags || "–", tcp.reverse_flags || "–"],
        ]}
      />
    </Section>
  );

  function yesNo(flags: string): string {
    return t(flags.includes("R") ? "flow.yes" : "flow.no");
  }
}

/** One line for each quantity, one column for each direction. */
function TwoWay({ lines }: { lines: readonly (readonly [name: string, forward: string, reverse: string])[] }) {
  const t = useT();
  return (
    <table className={styles.quality}>
      <thead>
        <tr>
          <th scope="col">
            <span className="visually-hidden">{t("flow.quantity")}</span>
          </th>
          <th scope="col">{t("flow.forward")}</th>
          <th scope="col">{t("flow.reverse")}</th>
        </tr>
      </thead>
      <tbody>
        {lines.map(([name, forward, reverse]) => (
          <tr key={name}>
            <th scope="row">{name}</th>
            <td>{forward}</td>
            <td>{reverse}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
