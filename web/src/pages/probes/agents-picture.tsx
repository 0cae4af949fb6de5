/** A probe at all its agents: a line for each, or a small picture for each when they are many. */
import { useState } from "react";
import { niceCeiling } from "~/charts/stack";
import { gapsOf } from "~/charts/steps";
import { type Note, TimePlot } from "~/charts/time-plot";
import { useT } from "~/i18n";
import { cssVariable, placesOf } from "~/lib/color";
import { useFormat } from "~/prefs/use-format";
import { useAgentName } from "../agents/use-agent-name";
import { Swatch } from "./detail/parts";
import { PictureFrame, StepTable } from "./picture-frame";
import styles from "./probes.module.css";
import { agentsOf, inverted, type Lane, pointsOf, type SmokeMetrics } from "./smoke";
import { type Lanes, type Source, useLanes } from "./use-lanes";

/** Lines that can be told apart by their colours. */
const mostLines = 7;
/** Small pictures of a page. */
const mostSmall = 30;
const otherColour = "var(--series-other)";

type AgentsPictureProps = {
  label: string;
  source: Source;
  metrics: SmokeMetrics;
  table: boolean;
  notes: readonly Note[];
};

export function AgentsPicture({ label, source, metrics, table, notes }: AgentsPictureProps) {
  const t = useT();
  const format = useFormat();
  const nameOf = useAgentName();
  const [cursor, onCursor] = useState<number>();
  const { median = metrics.loss, loss } = metrics;
  const lanes = useLanes({ ...source, agent: undefined }, [median, loss]);
  const [delays, losses] = lanes.charts;
  const agents = agentsOf(lanes.charts).slice(0, mostSmall);
  const of = (agent: string): Lane => (delays === undefined ? [] : pointsOf(delays, agent));
  const lossOf = (agent: string): Lane => {
    const lane = losses === undefined ? [] : pointsOf(losses, agent);
    return loss.inverted === true ? inverted(lane) : lane;
  };
  const shared = { lanes, cursor, onCursor, notes };
  const small = agents.length > mostLines;
  const colours = placesOf(agents).map(cssVariable);
  return (
    <PictureFrame label={label} lanes={lanes} height={280} note={t("probe.agentsNote")}>
      {table ? (
        <StepTable
          label={label}
          lanes={lanes}
          columns={agents.map((agent) => ({
            id: agent,
            header: nameOf(agent),
            cell: (i) => {
              const value = of(agent)[i];
              return value == null ? "–" : format.duration(value);
            },
          }))}
        />
      ) : small ? (
        agents.map((agent) => (
          <div key={agent}>
            <p className={styles.note}>{nameOf(agent)}</p>
            <Plot {...shared} label={nameOf(agent)} agents={[agent]} of={of} top={topOf(agents.map(of))} height={96} />
          </div>
        ))
      ) : (
        <>
          <Plot {...shared} label={label} agents={agents} of={of} top={topOf(agents.map(of))} height={220} />
          <p className={styles.note}>{t("probe.lane.loss")}</p>
          <Plot {...shared} label={t("probe.lane.loss")} agents={agents} of={lossOf} top={1} height={110} loss />
        </>
      )}
      {!small && (
        <ul className={styles.legend} aria-label={t("chart.legend")}>
          {agents.map((agent, i) => (
            <li key={agent}>
              <Swatch colour={colours[i] ?? otherColour} /> {nameOf(agent)}
            </li>
          ))}
        </ul>
      )}
    </PictureFrame>
  );
}

type PlotProps = {
  label: string;
  lanes: Lanes;
  agents: readonly string[];
  of: (agent: string) => Lane;
  top: number;
  height: number;
  loss?: boolean;
  cursor: number | undefined;
  onCursor: (index: number | undefined) => void;
  notes: readonly Note[];
};

function Plot({ label, lanes, agents, of, top, height, loss = false, cursor, onCursor, notes }: PlotProps) {
  const format = useFormat();
  const nameOf = useAgentName();
  const colours = placesOf(agents).map(cssVariable);
  const { from, step, count } = lanes;
  const figures = loss ? (value: number) => format.percent(value, 1) : format.duration;
  const known = Array.from({ length: count }, (_, i) => (agents.some((agent) => of(agent)[i] != null) ? 0 : null));
  return (
    <TimePlot
      label={label}
      from={from}
      step={step}
      count={count}
      layers={agents.map((agent, i) => ({ key: agent, colour: colours[i] ?? otherColour, values: of(agent) }))}
      extent={[0, top]}
      gaps={gapsOf(known)}
      height={height}
      figures={figures}
      cursor={cursor}
      onCursor={onCursor}
      notes={notes}
      tooltip={(index) => (
        <>
          <strong>{format.moment(from + index * step)}</strong>
          <dl>
            {agents.map((agent, i) => {
              const value = of(agent)[index];
              return [
                <Swatch key={`${agent} colour`} colour={colours[i] ?? otherColour} />,
                <dt key={`${agent} name`}>{nameOf(agent)}</dt>,
                <dd key={`${agent} value`}>{value == null ? "–" : figures(value)}</dd>,
              ];
            })}
          </dl>
        </>
      )}
    />
  );
}

function topOf(lanes: readonly Lane[]): number {
  return niceCeiling(Math.max(0, ...lanes.flatMap((lane) => lane.map((value) => value ?? 0))) * 1.05) || 0.001;
}
