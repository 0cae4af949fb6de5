/** Kinds that send packets and count answers: ping, udp, tcp, ntp, snmp. */
import type { Ntp, Ping, Snmp, Tcp, Udp } from "~/api/schema";
import { useT } from "~/i18n";
import { useFormat } from "~/prefs/use-format";
import { Facts, Hint } from "~/ui/page";
import { DelaysTable, MiniTable, seconds, useLossText, Wire } from "./parts";

export function PingDetail({ detail }: { detail: Ping }) {
  const t = useT();
  const format = useFormat();
  const loss = useLossText();
  const { sent, received, loss_interval, duplicates, reordered, late, rtt, lookup, kernel_stamps } = detail;
  return (
    <>
      {rtt != null && <DelaysTable label={t("probe.rtt")} delays={rtt} />}
      <Facts
        items={[
          [
            t("probes.loss"),
            <span key="loss">
              {loss(sent - received, sent, loss_interval)} <Hint>{t("probe.certainty")}</Hint>
            </span>,
          ],
          [t("probe.duplicates"), format.count(duplicates)],
          [t("probe.reordered"), format.count(reordered)],
          late > 0 && [t("probe.lateAnswers"), format.count(late)],
          lookup != null && [t("probe.lookup"), format.duration(lookup)],
          [t("probe.stamps"), t(kernel_stamps ? "probe.stampsKernel" : "probe.stampsProgram")],
        ]}
      />
    </>
  );
}

export function UdpDetail({ detail }: { detail: Udp }) {
  const t = useT();
  const format = useFormat();
  const loss = useLossText();
  const { sent, received, loss_interval, rtt, lookup } = detail;
  return (
    <>
      {rtt != null && <DelaysTable label={t("probe.rtt")} delays={rtt} />}
      <Facts
        items={[
          [t("probes.loss"), loss(sent - received, sent, loss_interval)],
          lookup != null && [t("probe.lookup"), format.duration(lookup)],
        ]}
      />
    </>
  );
}

export function TcpDetail({ detail }: { detail: Tcp }) {
  const t = useT();
  const format = useFormat();
  const { tried, connected, loss_interval, connect, lookup } = detail;
  return (
    <>
      {connect != null && <DelaysTable label={t("probe.handshake")} delays={connect} />}
      <Facts
        items={[
          [
            t("probe.connections"),
            t("probe.connectedOf", {
              connected,
              tried,
              low: format.percent(loss_interval.low, 1),
              high: format.percent(loss_interval.high, 1),
            }),
          ],
          lookup != null && [t("probe.lookup"), format.duration(lookup)],
        ]}
      />
    </>
  );
}

const leaps = ["none", "inserted", "deleted", "unsynchronised"] as const;

export function NtpDetail({ detail }: { detail: Ntp }) {
  const t = useT();
  const format = useFormat();
  const loss = useLossText();
  const { sent, received, rtt, clock, lookup } = detail;
  return (
    <Facts
      items={[
        clock != null && [
          t("probe.offset"),
          t("probe.offsetWithin", {
            offset: format.signedDuration(clock.offset),
            error: format.duration(clock.error),
          }),
        ],
        clock != null && [t("probe.stratum"), format.count(clock.stratum)],
        clock != null && [t("probe.reference"), <Wire key="reference">{clock.reference}</Wire>],
        clock != null && [t("probe.leap"), t(`probe.leap.${leaps[clock.leap] ?? "unsynchronised"}`)],
        clock != null && [t("probe.rootDelay"), format.duration(clock.root_delay)],
        clock != null && [t("probe.rootDispersion"), format.duration(clock.root_dispersion)],
        clock != null && [t("probe.version"), String(clock.version)],
        rtt != null && [t("probe.rtt"), format.duration(rtt.median)],
        [t("probes.loss"), loss(sent - received, sent)],
        lookup != null && [t("probe.lookup"), format.duration(lookup)],
      ]}
    />
  );
}

export function SnmpDetail({ detail }: { detail: Snmp }) {
  const t = useT();
  const format = useFormat();
  return (
    <>
      <MiniTable
        label={t("probe.values")}
        head={[t("probe.oid"), t("probe.syntax"), t("probe.value")]}
        rows={detail.values.map(({ oid, syntax, text }) => ({
          key: oid,
          cells: [<Wire key="oid">{oid}</Wire>, syntax, <Wire key="value">{text}</Wire>],
        }))}
      />
      <Facts items={[[t("probes.response"), seconds(detail.time, format)]]} />
    </>
  );
}
