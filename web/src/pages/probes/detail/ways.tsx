/** Kinds that tell both directions apart: traffic simulation and throughput. */
import type { Simulation, SimulationWay, Throughput, Transfer } from "~/api/schema";
import { useT } from "~/i18n";
import { useFormat } from "~/prefs/use-format";
import { Facts } from "~/ui/page";
import { DelaysTable, MiniTable, useLossText } from "./parts";

export function SimulationDetail({ detail }: { detail: Simulation }) {
  const t = useT();
  const format = useFormat();
  const loss = useLossText();
  const { sent, received, rtt, forward, reverse, clock_error, dscp_there, dscp_back, stateful } = detail;
  const ways = [
    ["forward", forward],
    ["reverse", reverse],
  ] as const;
  return (
    <>
      <MiniTable
        label={t("probe.ways")}
        head={[
          t("probe.way"),
          t("probes.loss"),
          `>${t("probe.jitter")}`,
          `>${t("probe.pdv")}`,
          `>${t("probe.delay")}`,
          `>${t("probe.burst")}`,
          `>${t("probe.reordered")}`,
          `>${t("probe.duplicates")}`,
          `>${t("probe.mos")}`,
        ]}
        rows={ways.flatMap(([name, way]) =>
          way == null ? [] : [{ key: name, cells: cellsOf(t(`probe.way.${name}`), way) }],
        )}
      />
      {rtt != null && <DelaysTable label={t("probe.rtt")} delays={rtt} />}
      <Facts
        items={[
          [t("probe.roundTrip"), loss(sent - received, sent)],
          !stateful && [t("probe.directions"), t("probe.stateless")],
          [
            t("probe.clocks"),
            clock_error == null
              ? t("probe.clocksUnknown")
              : t("probe.clocksWithin", { error: format.duration(clock_error) }),
          ],
          dscp_there != null && [t("probe.dscpThere"), String(dscp_there)],
          dscp_back != null && [t("probe.dscpBack"), String(dscp_back)],
          ...ways.map(([name, way]) => {
            const voice = way?.voice;
            return (
              voice != null &&
              ([
                t(`probe.voice.${name}`),
                t("probe.voiceText", {
                  codec: voice.codec,
                  r: format.plain(Math.round(voice.r_factor * 10) / 10),
                  delay: format.duration(voice.delay),
                  loss: format.percent(voice.loss, 1),
                  note: t(voice.delay_estimated ? "probe.voiceEstimated" : "probe.voiceMeasured"),
                }),
              ] as const)
            );
          }),
        ]}
      />
    </>
  );

  function cellsOf(name: string, way: SimulationWay) {
    return [
      name,
      loss(way.lost, way.sent, way.loss_interval),
      format.duration(way.jitter),
      format.duration(way.pdv_p95),
      way.delay == null ? "–" : format.duration(way.delay.median),
      format.count(way.longest_burst),
      format.count(way.reordered),
      format.count(way.duplicates),
      way.voice == null ? "–" : format.plain(Math.round(way.voice.mos * 100) / 100),
    ];
  }
}

export function ThroughputDetail({ detail }: { detail: Throughput }) {
  const t = useT();
  const format = useFormat();
  const ways = [
    ["forward", detail.forward],
    ["reverse", detail.reverse],
  ] as const;
  const share = (value: number | null | undefined) => (value == null ? "–" : format.percent(value, 1));
  const cellsOf = (name: string, way: Transfer) => [
    name,
    format.rate(way.bits_per_second / 8),
    format.volume(way.octets),
    way.cut ? t("probe.cut", { duration: format.duration(way.seconds) }) : format.duration(way.seconds),
    way.retransmits == null ? "–" : format.count(way.retransmits),
    share(way.efficiency),
    way.loaded_rtt == null ? "–" : format.duration(way.loaded_rtt),
    share(way.buffer_delay),
    way.time_ratio == null ? "–" : format.plain(Math.round(way.time_ratio * 100) / 100),
  ];
  return (
    <>
      <MiniTable
        label={t("probe.ways")}
        head={[
          t("probe.way"),
          `>${t("column.rate")}`,
          `>${t("column.volume")}`,
          `>${t("column.duration")}`,
          `>${t("probe.retransmits")}`,
          `>${t("probe.efficiency")}`,
          `>${t("probe.loadedRtt")}`,
          `>${t("probe.bufferDelay")}`,
          `>${t("probe.timeRatio")}`,
        ]}
        rows={ways.flatMap(([name, way]) =>
          way == null ? [] : [{ key: name, cells: cellsOf(t(`probe.way.${name}`), way) }],
        )}
      />
      <Facts
        items={[
          detail.idle_rtt != null && [t("probe.idleRtt"), format.duration(detail.idle_rtt)],
          detail.idle_rtt != null && [t("probe.rttMethod"), t(`probe.rttMethod.${detail.rtt_method ?? "tcp"}`)],
          detail.bandwidth_delay != null && [t("probe.bandwidthDelay"), format.volume(detail.bandwidth_delay)],
          detail.bufferbloat != null && [t("probe.bufferbloat"), detail.bufferbloat],
        ]}
      />
    </>
  );
}
