/** What the explorer is asked for: dimensions in their order, the kind of picture, unit, number of groups, two switches. */
import type { HistoryDimension } from "~/api/schema";
import { explorerCharts, explorerUnits } from "~/app/search";
import { useT } from "~/i18n";
import { useFormat } from "~/prefs/use-format";
import { Button, Segmented, Select } from "~/ui/controls";
import { Icon } from "~/ui/icons";
import styles from "./history.module.css";
import { type Explorer, historyDimensions, mostDimensions, tops } from "./question";

type ControlsProps = { explorer: Explorer; onChange: (change: Partial<Explorer>) => void };

export function Controls({ explorer, onChange }: ControlsProps) {
  const t = useT();
  const format = useFormat();
  const { chart, measure, top, mirrored, previous } = explorer;
  const units = {
    octets: t("history.unit.l3", { unit: format.rateUnit }),
    l2_octets: t("history.unit.l2", { unit: format.rateUnit }),
    packets: t("unit.packetsPerSecond"),
    flows: t("unit.flowsPerSecond"),
  };
  const directed = measure === "octets" && chart !== "heatmap" && chart !== "sankey";
  return (
    <div className={styles.query}>
      <Dimensions explorer={explorer} onChange={onChange} />
      <Segmented
        label={t("history.kind")}
        value={chart}
        options={explorerCharts.map((value) => ({ value, label: t(`history.kind.${value}`) }))}
        onChange={(value) => onChange({ chart: value })}
      />
      <Select
        label={t("traffic.measure")}
        hideLabel
        value={measure}
        options={explorerUnits.map((value) => ({ value, label: units[value] }))}
        onChange={(value) => onChange({ measure: value })}
      />
      <Select
        label={t("history.top")}
        value={String(top)}
        options={tops.map((value) => ({ value: String(value), label: String(value) }))}
        onChange={(value) => onChange({ top: Number(value) })}
      />
      <span>
        <Button pressed={mirrored} disabled={!directed} onClick={() => onChange({ mirrored: !mirrored })}>
          {t("history.mirrored")}
        </Button>{" "}
        <Button pressed={previous} onClick={() => onChange({ previous: !previous })}>
          {t("history.previous")}
        </Button>
      </span>
    </div>
  );
}

function Dimensions({ explorer: { dimensions }, onChange }: ControlsProps) {
  const t = useT();
  const free = historyDimensions.filter((one) => !dimensions.includes(one));
  const without = (one: HistoryDimension) => dimensions.filter((other) => other !== one);
  return (
    <fieldset className={styles.dimensions} style={{ border: 0, padding: 0 }}>
      <legend className="visually-hidden">{t("history.by")}</legend>
      <span aria-hidden="true">{t("history.by")}</span>
      {dimensions.map((one) => (
        <span key={one} className={styles.dimension} data-dimension={one}>
          <span>{t(`history.dimension.${one}`)}</span>
          <button
            type="button"
            aria-label={t("history.removeDimension", { dimension: t(`history.dimension.${one}`) })}
            disabled={dimensions.length === 1}
            onClick={() => onChange({ dimensions: without(one) })}
          >
            <Icon name="close" size={10} />
          </button>
        </span>
      ))}
      {dimensions.length < mostDimensions && (
        <Select
          label={t("history.addDimension")}
          hideLabel
          value={"" as HistoryDimension | ""}
          options={[
            { value: "", label: t("history.add") },
            ...free.map((value) => ({ value, label: t(`history.dimension.${value}`) })),
          ]}
          onChange={(value) => {
            if (value !== "") onChange({ dimensions: [...dimensions, value] });
          }}
        />
      )}
    </fieldset>
  );
}
