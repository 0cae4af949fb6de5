/** One run of a probe: how it went in a line, and everything that its kind measured. */
import type { ReactNode } from "react";
import type { ProbeDetail, ProbeResult } from "~/api/schema";
import { useT } from "~/i18n";
import { useFormat } from "~/prefs/use-format";
import { Mark } from "~/ui/controls";
import { Facts } from "~/ui/page";
import { useAgentName } from "../../agents/use-agent-name";
import styles from "../probes.module.css";
import { StandingMark } from "../standing";
import { stateOf } from "../state";
import { lossOf, responseOf } from "./numbers";
import { NtpDetail, PingDetail, SnmpDetail, TcpDetail, UdpDetail } from "./packets";
import { Wire } from "./parts";
import { ReachDetail } from "./reach";
import { BannerDetail, DnsDetail, HttpDetail, TlsDetail } from "./services";
import { TraceDetail } from "./trace";
import { SimulationDetail, ThroughputDetail } from "./ways";

/** State, response and loss, and why it failed. */
export function ResultLine({ result }: { result: ProbeResult }) {
  const t = useT();
  const format = useFormat();
  const [loss, response] = [lossOf(result), responseOf(result)];
  return (
    <p className={styles.line}>
      <StandingMark standing={stateOf(result, loss)} />
      {response !== undefined && <span>{format.duration(response)}</span>}
      {loss !== undefined && <span>{t("probes.lossOf", { loss: format.percent(loss, 1) })}</span>}
      {result.failure != null && <span>{result.failure.message}</span>}
    </p>
  );
}

export function ResultMarks({ result, own }: { result: ProbeResult; own: ProbeResult["kind"] }) {
  const t = useT();
  return (
    <span className={styles.marks}>
      {result.kind !== own && <span className={styles.tag}>{t("probe.addedTrace")}</span>}
      {result.trigger !== "schedule" && <span className={styles.tag}>{t(`probe.trigger.${result.trigger}`)}</span>}
      {result.late && (
        <span className={styles.tag} title={t("probe.lateText")}>
          {t("probe.late")}
        </span>
      )}
    </span>
  );
}

export function ResultDetails({ result }: { result: ProbeResult }) {
  const t = useT();
  const format = useFormat();
  const nameOf = useAgentName();
  return (
    <div className={styles.details}>
      {result.failure != null && (
        <p>
          <Mark status={stateOf(result, undefined) === "unknown" ? "unknown" : "critical"}>
            {t(`probe.reason.${result.failure.reason}`)}
          </Mark>{" "}
          {result.failure.message}
        </p>
      )}
      {result.detail != null && <Detail detail={result.detail} />}
      <Facts
        items={[
          [t("probe.address"), <Wire key="address">{result.address}</Wire>],
          result.source != null && [t("probes.source"), <Wire key="source">{result.source}</Wire>],
          [t("column.start"), format.moment(Date.parse(result.start))],
          result.late && [t("probe.scheduled"), format.moment(Date.parse(result.scheduled))],
          [t("column.duration"), format.duration(result.duration)],
          [
            t("probe.agent"),
            <span key="agent" title={result.agent}>
              {nameOf(result.agent)}
            </span>,
          ],
        ]}
      />
    </div>
  );
}

function Detail({ detail }: { detail: ProbeDetail }): ReactNode {
  if ("ping" in detail) return <PingDetail detail={detail.ping} />;
  if ("mtr" in detail) return <TraceDetail detail={detail.mtr} />;
  if ("dns" in detail) return <DnsDetail detail={detail.dns} />;
  if ("http" in detail) return <HttpDetail detail={detail.http} />;
  if ("tls" in detail) return <TlsDetail detail={detail.tls} />;
  if ("tcp" in detail) return <TcpDetail detail={detail.tcp} />;
  if ("udp" in detail) return <UdpDetail detail={detail.udp} />;
  if ("ntp" in detail) return <NtpDetail detail={detail.ntp} />;
  if ("smtp" in detail) return <BannerDetail detail={detail.smtp} />;
  if ("imap" in detail) return <BannerDetail detail={detail.imap} />;
  if ("snmp" in detail) return <SnmpDetail detail={detail.snmp} />;
  if ("simulation" in detail) return <SimulationDetail detail={detail.simulation} />;
  if ("throughput" in detail) return <ThroughputDetail detail={detail.throughput} />;
  if ("agent" in detail) return <ReachDetail detail={detail.agent} />;
  // A kind that is newer than this app: what it measured, as it came.
  return <pre className={styles.raw}>{JSON.stringify(detail, null, 2)}</pre>;
}
