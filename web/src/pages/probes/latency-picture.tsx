/** The heatmap of the delays of a probe: time across, delay upward on a logarithmic axis, brighter where more lie. */
import { useState } from "react";
import { type Cell, HeatPlot, type HeatRow } from "~/charts/heat-plot";
import { gapsOf } from "~/charts/steps";
import { useT } from "~/i18n";
import { useFormat } from "~/prefs/use-format";
import { latencyRows } from "./heat";
import { HeatFrame } from "./heat-frame";
import { useHeat } from "./use-heat";
import type { Source } from "./use-lanes";

const height = 320;

export function LatencyPicture({ label, source, table }: { label: string; source: Source; table: boolean }) {
  const t = useT();
  const format = useFormat();
  const heat = useHeat(source);
  const [cursor, onCursor] = useState<Cell>();
  const { heat: answer, from, step, count } = heat;
  const rows = answer === undefined ? [] : latencyRows(answer, format.duration);
  return (
    <HeatFrame label={label} heat={heat} height={height} note={t("probe.heatNote")} table={table}>
      <HeatPlot
        label={label}
        from={from}
        step={step}
        count={count}
        rows={rows}
        rowHeight={Math.max(4, Math.min(24, Math.floor(height / Math.max(1, rows.length))))}
        bare
        gaps={gapsOf((answer?.steps ?? []).map(({ runs }) => (runs > 0 ? 0 : null)))}
        cursor={cursor}
        onCursor={onCursor}
        tooltip={({ row, index }) => (
          <Tip row={rows[row]} bound={boundsAt(row)} at={from + index * step} index={index} />
        )}
      />
    </HeatFrame>
  );

  function boundsAt(row: number): string {
    const bounds = answer?.bounds ?? [];
    const bin = rows.length - 1 - row;
    return `${format.duration(bounds[bin] ?? 0)} – ${format.duration(bounds[bin + 1] ?? 0)}`;
  }
}

type TipProps = { row: HeatRow | undefined; bound: string; at: number; index: number };

function Tip({ row, bound, at, index }: TipProps) {
  const t = useT();
  const format = useFormat();
  return (
    <>
      <strong>{format.moment(at)}</strong>
      <dl>
        <dt>{t("probe.delay")}</dt>
        <dd>{bound}</dd>
        <dt>{t("probe.delays")}</dt>
        <dd>{format.count(row?.values[index] ?? 0)}</dd>
      </dl>
    </>
  );
}
