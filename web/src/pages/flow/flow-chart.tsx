/** The history of one flow on the chart of rates: what the initiator sent above, what came back below. */
import { useEffect, useMemo } from "react";
import type { FlowDetail, Rates } from "~/api/schema";
import { RatesChart } from "~/charts/rates-chart";
import { FixedSource } from "~/charts/source";
import { useT } from "~/i18n";

/** Milliseconds that are shown at least, so that a flow of one packet has a picture. */
const shortest = 10_000;

export function FlowChart({ detail, height }: { detail: FlowDetail; height: number }) {
  const t = useT();
  const source = useMemo(() => new FixedSource(), []);
  useEffect(() => {
    const rates = ratesOf(detail);
    const from = Date.parse(rates.from);
    source.show(rates, { from, to: Math.max(Date.parse(rates.to), from + shortest) });
  }, [source, detail]);
  return (
    <RatesChart
      source={source}
      label={t("flow.chart")}
      height={height}
      limit={1}
      legend={false}
      gaps={false}
      directions={{ above: t("flow.forward"), below: t("flow.reverse") }}
    />
  );
}

/** The points of a flow as one series. A step without a point carried nothing: a flow has no gaps, only silence. */
function ratesOf({ flow, points, step }: FlowDetail): Rates {
  const width = step * 1000;
  const from = Math.floor(Date.parse(flow.start) / width) * width;
  const last = points.at(-1);
  const to = Math.max(Date.parse(flow.end), last === undefined ? 0 : Date.parse(last.time)) + 1;
  const length = Math.max(1, Math.ceil((to - from) / width));
  const lanes = Array.from({ length: 4 }, () => Array.from({ length }, () => 0));
  for (const point of points) {
    const index = Math.round((Date.parse(point.time) - from) / width);
    if (index < 0 || index >= length) continue;
    [point.octets, point.packets, point.reverse_octets, point.reverse_packets].forEach((value, i) => {
      const lane = lanes[i];
      if (lane !== undefined) lane[index] = (lane[index] ?? 0) + value;
    });
  }
  const [octets = [], packets = [], reverse = [], reversePackets = []] = lanes;
  return {
    from: new Date(from).toISOString(),
    to: new Date(from + length * width).toISOString(),
    step,
    by: "direction",
    layer: "l3",
    series: [
      {
        key: "in",
        label: "",
        other: false,
        in: { octets, packets },
        out: { octets: reverse, packets: reversePackets },
      },
    ],
    losses: { kernel_drops: [], ring_fill: [], records_dropped: [], flows_other: [] },
    incomplete: false,
    oldest: null,
  };
}
