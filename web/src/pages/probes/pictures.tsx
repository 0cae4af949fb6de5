/** The pictures of a probe: which there are follows from the numbers that its kind gives. */
import { useNavigate, useSearch } from "@tanstack/react-router";
import type { KindDescription, Probe, ProbeUnit } from "~/api/schema";
import type { AppSearch, probeViews } from "~/app/search";
import { type Note, useCursor } from "~/charts/time-plot";
import { type Translate, useT } from "~/i18n";
import { type Format, useFormat } from "~/prefs/use-format";
import { Button, Segmented, Select } from "~/ui/controls";
import { useAgentName } from "../agents/use-agent-name";
import { AgentsPicture } from "./agents-picture";
import { phaseColours, phases } from "./detail/parts";
import { LatencyPicture } from "./latency-picture";
import { LinesPicture } from "./lines-picture";
import { PercentilesPicture } from "./percentiles-picture";
import styles from "./probes.module.css";
import { notesOf, RouteChanges, useRouteChanges } from "./route-changes";
import { smokeMetrics } from "./smoke";
import { SmokePicture } from "./smoke-picture";
import { useAgentEvents } from "./use-agent-events";
import type { Source } from "./use-lanes";

type View = (typeof probeViews)[number];

/** The metric of each phase of HTTP. */
const phaseMetrics = {
  resolve: "probe_http_resolve_seconds",
  connect: "probe_http_connect_seconds",
  tls: "probe_http_tls_seconds",
  first_byte: "probe_http_processing_seconds",
  transfer: "probe_http_transfer_seconds",
} as const;

export function Pictures({ probe, kind }: { probe: Probe; kind: KindDescription }) {
  const t = useT();
  const search = useSearch({ strict: false }) as AppSearch;
  const navigate = useNavigate();
  const nameOf = useAgentName();
  const views = viewsOf(kind, probe.status.length);
  const view = views.find((one) => one === search.picture) ?? views[0] ?? "smoke";
  const table = search.view === "table";
  const agents = probe.status.map(({ agent }) => agent);
  const agent = agents.find((one) => one === search.agent) ?? agents[0];
  const set = (change: AppSearch) =>
    void navigate({ to: ".", search: (now: AppSearch) => ({ ...now, ...change }), replace: true });
  const changes = useRouteChanges(probe.id);
  const events = useAgentEvents();
  const source: Source = { probe: probe.id, kind: kind.kind, interval: probe.spec.interval, agent };
  return (
    <>
      <div className={styles.controls}>
        <Segmented
          label={t("probe.picture")}
          value={view}
          options={views.map((value) => ({ value, label: t(`probe.picture.${value}`) }))}
          onChange={(next) => set({ picture: next === views[0] ? undefined : next })}
        />
        {view === "metric" && (
          <Select
            label={t("series.metric")}
            value={metricOf(search, kind)}
            options={kind.metrics.map(({ name }) => ({ value: name, label: name }))}
            onChange={(metric) => set({ metric })}
          />
        )}
        {agents.length > 1 && view !== "agents" && (
          <Select
            label={t("probe.agent")}
            value={agent ?? ""}
            options={agents.map((value) => ({ value, label: nameOf(value) }))}
            onChange={(next) => set({ agent: next })}
          />
        )}
        <Button icon="table" pressed={table} onClick={() => set({ view: table ? undefined : "table" })}>
          {t("traffic.table")}
        </Button>
      </div>
      <Picture
        probe={probe}
        kind={kind}
        view={view}
        source={source}
        table={table}
        metric={metricOf(search, kind)}
        notes={notesOf([...changes, ...events])}
      />
      <RouteChanges probe={probe.id} events={changes} />
    </>
  );
}

type PictureProps = {
  probe: Probe;
  kind: KindDescription;
  view: View;
  source: Source;
  table: boolean;
  metric: string;
  notes: readonly Note[];
};

function Picture({ probe, kind, view, source, table, metric, notes }: PictureProps) {
  const t = useT();
  const format = useFormat();
  const [cursor, onCursor] = useCursor();
  const label = t("probe.pictureOf", { picture: t(`probe.picture.${view}`), name: probe.name });
  const shared = { source, table, cursor, onCursor, notes, note: t("probe.meanNote") };
  switch (view) {
    case "phases":
      return (
        <LinesPicture
          {...shared}
          key={view}
          label={label}
          together
          figures={format.duration}
          lines={phases.map((phase) => ({
            metric: phaseMetrics[phase],
            aggregate: "avg",
            label: t(`probe.phase.${phase}`),
            colour: phaseColours[phase],
          }))}
        />
      );
    case "expiry":
      return (
        <LinesPicture
          {...shared}
          key={view}
          label={label}
          scale={1 / 86_400}
          figures={(days) => t("probe.days", { days: format.plain(Math.round(days * 10) / 10) })}
          note={t("probe.leastNote")}
          lines={[
            {
              metric: "probe_tls_expiry_seconds",
              aggregate: "min",
              label: t("probe.expires"),
              colour: "var(--series-2)",
            },
          ]}
        />
      );
    case "ways":
      return <Ways {...shared} key={view} t={t} format={format} name={probe.name} />;
    case "metric":
      return (
        <LinesPicture
          {...shared}
          key={metric}
          label={t("probe.pictureOf", { picture: metric, name: probe.name })}
          figures={(value) => figureOf(value, unitOf(metric, kind), format, t)}
          lines={[{ metric, aggregate: "avg", label: metric, colour: "var(--series-2)" }]}
        />
      );
    case "heat":
      return <LatencyPicture key={view} label={label} source={source} table={table} />;
    case "percentiles":
      return <PercentilesPicture key={view} label={label} source={source} table={table} notes={notes} />;
    case "agents":
      return (
        <AgentsPicture
          key={view}
          label={label}
          source={source}
          metrics={smokeMetrics(kind)}
          table={table}
          notes={notes}
        />
      );
    default: {
      const runs = smokeMetrics(kind).loss.inverted === true;
      return <SmokePicture key={view} label={label} source={source} runs={runs} table={table} notes={notes} />;
    }
  }
}

type WaysProps = {
  source: Source;
  table: boolean;
  cursor: number | undefined;
  onCursor: (index: number | undefined) => void;
  note: string;
  notes: readonly Note[];
  t: Translate;
  format: Format;
  name: string;
};

/** Both directions of a stream: loss, jitter and voice quality, one below the other with one crosshair. */
function Ways({ t, format, name, ...shared }: WaysProps) {
  const pictures = [
    { of: "loss", metric: "loss_ratio", figures: (value: number) => format.percent(value, 1), least: [0, 0.01] },
    { of: "jitter", metric: "jitter_seconds", figures: format.duration, least: undefined },
    { of: "mos", metric: "mos", figures: format.quantity, least: [0, 5] },
  ] as const;
  return pictures.map(({ of, metric, figures, least }) => (
    <LinesPicture
      {...shared}
      key={of}
      label={t("probe.pictureOf", { picture: t(`probe.ways.${of}`), name })}
      note={`${t(`probe.ways.${of}`)} · ${shared.note}`}
      height={150}
      figures={figures}
      {...(least !== undefined && { least })}
      lines={(["forward", "reverse"] as const).map((way, i) => ({
        metric: `probe_${way}_${metric}`,
        aggregate: "avg",
        label: t(`probe.way.${way}`),
        colour: `var(--series-${2 - i})`,
      }))}
    />
  ));
}

function viewsOf({ metrics }: KindDescription, agents: number): View[] {
  const has = (name: string) => metrics.some((metric) => metric.name === name);
  const views: (View | false)[] = [
    has(phaseMetrics.connect) && "phases",
    "smoke",
    "heat",
    "percentiles",
    agents > 1 && "agents",
    has("probe_tls_expiry_seconds") && "expiry",
    has("probe_forward_loss_ratio") && "ways",
    metrics.length > 0 && "metric",
  ];
  return views.filter((view) => view !== false);
}

function metricOf({ metric }: AppSearch, kind: KindDescription): string {
  return (kind.metrics.find(({ name }) => name === metric) ?? kind.metrics[0])?.name ?? "probe_success";
}

function unitOf(metric: string, kind: KindDescription): ProbeUnit {
  return kind.metrics.find(({ name }) => name === metric)?.unit ?? "count";
}

function figureOf(value: number, unit: ProbeUnit, format: Format, t: Translate): string {
  switch (unit) {
    case "seconds":
      return format.signedDuration(value);
    case "ratio":
      return format.percent(value, 1);
    case "octets":
      return format.volume(value);
    case "bits_per_second":
      return format.rate(value / 8);
    case "flag":
      return value === 1 ? t("flow.yes") : value === 0 ? t("flow.no") : format.percent(value, 1);
    default:
      return format.quantity(value);
  }
}
