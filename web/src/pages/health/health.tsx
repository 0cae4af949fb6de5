/** Interfaces and health: the way of the data stage by stage, with counts and losses, and the first place where it stops. */
import { useQuery } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { storageQuery } from "~/api/history";
import { interfacesQuery } from "~/api/queries";
import type { Statistics, Storage } from "~/api/schema";
import { type Translate, useT } from "~/i18n";
import { lossesOf, type StageName, type StageVerdict, stageNames, whereItStops } from "~/lib/stages";
import { totalsOf } from "~/pages/storage/forecast";
import { type Format, useFormat } from "~/prefs/use-format";
import { useMay } from "~/session/session";
import { useStatistics } from "~/stream/use-statistics";
import { Mark } from "~/ui/controls";
import { ProblemBox, Skeleton } from "~/ui/feedback";
import { Facts, Page, Section } from "~/ui/page";
import styles from "./health.module.css";
import { HealthTabs } from "./health-tabs";
import { Interfaces } from "./interfaces";

export function HealthPage() {
  const t = useT();
  const { data: statistics, error } = useStatistics();
  const { data: interfaces } = useQuery(interfacesQuery);
  const may = useMay();
  // What comes from a capture file is not stored: that stage is left out.
  const storing = interfaces?.items.some(({ state }) => state !== "ended") === true && may("system.read");
  const { data: storage } = useQuery({ ...storageQuery, enabled: storing });
  const verdict = statistics && interfaces && whereItStops(statistics, interfaces.items, storage);
  return (
    <Page title={t("page.health")} number={verdict && <VerdictMark verdict={verdict} />} actions={<HealthTabs />}>
      <Section title={t("health.stages")} hint={t("health.stagesHint")}>
        {statistics !== undefined ? (
          <Stages statistics={statistics} storage={storage} verdict={verdict} />
        ) : error == null ? (
          <Skeleton height={150} />
        ) : (
          <ProblemBox error={error} subject={t("health.stages")} />
        )}
      </Section>
      <Section title={t("health.interfaces")}>
        <Interfaces />
      </Section>
      {statistics !== undefined && (
        <div className={styles.columns}>
          <Undissected statistics={statistics} />
          <Process statistics={statistics} />
        </div>
      )}
    </Page>
  );
}

export function VerdictMark({ verdict }: { verdict: StageVerdict }) {
  const t = useT();
  switch (verdict.kind) {
    case "flowing":
      return <Mark status="ok">{t("health.flowing")}</Mark>;
    case "ended":
      return <Mark status="silent">{t("health.ended")}</Mark>;
    case "denied":
      return <Mark status="critical">{t("health.denied")}</Mark>;
    case "lossy":
      return (
        <Mark status="warning">
          {t("health.lossy", { stages: verdict.stages.map((stage) => t(`stage.${stage}`)).join(", ") })}
        </Mark>
      );
    case "stopped":
      return <Mark status="warning">{t(`health.stopped.${verdict.stage}`)}</Mark>;
  }
}

type StagesProps = {
  statistics: Statistics;
  storage: Storage | undefined;
  verdict: StageVerdict | undefined;
};

function Stages({ statistics, storage, verdict }: StagesProps) {
  const t = useT();
  const format = useFormat();
  const losses = lossesOf(statistics, storage);
  const described = { ...describe(statistics, t, format), stored: describeStored(storage, t, format) };
  const shown = stageNames.filter((stage) => stage !== "stored" || storage !== undefined);
  return (
    <ol className={styles.stages}>
      {shown.map((stage) => (
        <li key={stage} className={styles.stage}>
          <h3>
            {verdict?.kind === "stopped" && verdict.stage === stage && "▲ "}
            {t(`stage.${stage}`)}
          </h3>
          <p>
            <span className={styles.figure}>{described[stage].figure}</span>{" "}
            <span className={styles.unit}>{described[stage].unit}</span>
          </p>
          <ul className={styles.lines}>
            {described[stage].lines.map(([name, value]) => (
              <li key={name}>
                <span>{name}</span>
                <span>{value}</span>
              </li>
            ))}
            <li className={losses[stage] > 0 && stage !== "store" ? styles.lost : undefined}>
              <span>{t(`stage.${stage}.lost`)}</span>
              <span>{format.roughCount(losses[stage])}</span>
            </li>
          </ul>
        </li>
      ))}
    </ol>
  );
}

type Described = { figure: string; unit: string; lines: readonly (readonly [name: string, value: ReactNode])[] };

function describeStored(storage: Storage | undefined, t: Translate, format: Format): Described {
  const { bytes } = totalsOf(storage?.kinds ?? []);
  return {
    figure: format.volume(bytes),
    unit: t("stage.onDisk"),
    lines: [
      [t("stage.waiting"), format.roughCount(storage?.waiting ?? 0)],
      [t("stage.diskFree"), format.percent(storage?.disk_free ?? 0, storage?.disk_total ?? 0)],
    ],
  };
}

function describe(
  { capture, table, store }: Statistics,
  t: Translate,
  format: Format,
): Record<Exclude<StageName, "stored">, Described> {
  const undissected = capture.undissected.reduce((sum, { count }) => sum + count, 0);
  return {
    received: {
      figure: format.roughCount(capture.frames),
      unit: t("unit.frames"),
      lines: [[t("stage.volume"), format.volume(capture.octets)]],
    },
    dissected: {
      figure: format.roughCount(capture.packets),
      unit: t("unit.packets"),
      lines: [[t("stage.notIp"), format.roughCount(undissected)]],
    },
    table: {
      figure: format.roughCount(table.active),
      unit: t("stage.activeFlows"),
      lines: [
        [t("stage.used"), format.percent(table.active, table.capacity)],
        [t("stage.seen"), format.roughCount(table.started)],
      ],
    },
    records: {
      figure: format.roughCount(store.records),
      unit: t("unit.records"),
      lines: [
        [t("stage.batches"), format.roughCount(store.batches)],
        [t("stage.repeated"), format.roughCount(store.batches_repeated)],
      ],
    },
    store: {
      figure: format.roughCount(store.live_flows + store.archived_flows),
      unit: t("stage.searchable"),
      lines: [
        [t("stage.budget"), format.percent(store.archive_bytes, store.archive_budget)],
        [t("stage.ended"), format.roughCount(store.archived_flows)],
      ],
    },
  };
}

function Undissected({ statistics }: { statistics: Statistics }) {
  const t = useT();
  const format = useFormat();
  const { undissected } = statistics.capture;
  return (
    <Section title={t("health.undissected")} hint={t("health.undissectedHint")}>
      {undissected.every(({ count }) => count === 0) ? (
        <p>{t("health.allDissected")}</p>
      ) : (
        <Facts
          items={undissected
            .filter(({ count }) => count > 0)
            .map(({ reason, count }) => [reason.replaceAll("_", " "), format.count(count)] as const)}
        />
      )}
    </Section>
  );
}

function Process({ statistics }: { statistics: Statistics }) {
  const t = useT();
  const format = useFormat();
  const { process, stream, version, started, now } = statistics;
  // With a capture file the server's time is that of the packets, and its start is not.
  const current = Date.parse(now) < Date.parse(started) ? Date.now() : Date.parse(now);
  const uptime = Math.max(1, (current - Date.parse(started)) / 1000);
  return (
    <Section title={t("health.process")}>
      <Facts
        items={[
          [t("health.version"), version],
          [t("health.uptime"), format.duration(Math.round(uptime))],
          [t("health.memory"), format.volume(process.resident_bytes)],
          [t("health.cpu"), t("health.cpuValue", { share: format.percent(process.cpu_seconds, uptime) })],
          [t("health.files"), format.count(process.open_files)],
          [t("health.clients"), format.count(stream.clients)],
          [
            t("health.framesSent"),
            t("health.framesValue", {
              sent: format.roughCount(stream.frames_sent),
              dropped: format.roughCount(stream.frames_dropped),
            }),
          ],
        ]}
      />
    </Section>
  );
}
