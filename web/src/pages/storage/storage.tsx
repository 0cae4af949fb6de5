/** Storage and retention: what each kind takes and how long it is kept, how full the disk is, and when it would be full. */
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { storageQuery } from "~/api/history";
import type { Storage, StorageState, StorageUsage } from "~/api/schema";
import { useT } from "~/i18n";
import { HealthTabs } from "~/pages/health/health-tabs";
import { useFormat } from "~/prefs/use-format";
import { useMay } from "~/session/session";
import { Button, Mark, type Status } from "~/ui/controls";
import { type Column, DataTable } from "~/ui/data-table";
import { Empty, ProblemBox, Skeleton } from "~/ui/feedback";
import { Facts, Page, Section } from "~/ui/page";
import { Disk } from "./disk";
import { limitOf, totalsOf } from "./forecast";
import { RetentionDialog } from "./retention-dialog";
import styles from "./storage.module.css";

const statuses: Readonly<Record<StorageState, Status>> = { normal: "ok", warning: "warning", read_only: "critical" };

export function StoragePage() {
  const t = useT();
  const { data, error, refetch } = useQuery(storageQuery);
  return (
    <Page title={t("page.storage")} number={data && <State state={data.state} />} actions={<HealthTabs />}>
      {error !== null && <ProblemBox error={error} subject={t("page.storage")} onRetry={() => void refetch()} />}
      {data === undefined ? error === null && <Skeleton height={320} /> : <Content storage={data} />}
    </Page>
  );
}

function State({ state }: { state: StorageState }) {
  const t = useT();
  return <Mark status={statuses[state]}>{t(`storage.state.${state}`)}</Mark>;
}

function Content({ storage }: { storage: Storage }) {
  const t = useT();
  const columns = useColumns();
  if (storage.disk_total === 0) {
    return (
      <Empty title={t("storage.none")}>
        <p>{t("storage.noneText")}</p>
      </Empty>
    );
  }
  const { bytes, files, bytesPerDay } = totalsOf(storage.kinds);
  const sum: StorageUsage = {
    kind: "events",
    bytes,
    files,
    keep_bytes: storage.kinds.reduce((total, one) => total + one.keep_bytes, 0),
    keep_seconds: 0,
    bytes_per_day: bytesPerDay ?? null,
    oldest: null,
  };
  return (
    <>
      {storage.state !== "normal" && (
        <p role="alert" className={styles.warning} data-state={storage.state}>
          {t(`storage.state.${storage.state}.text`)}
        </p>
      )}
      <Section title={t("storage.disk")}>
        <Disk storage={storage} />
      </Section>
      <Section title={t("storage.kinds")} hint={t("storage.kindsHint")} actions={<Change />}>
        <DataTable
          label={t("storage.kinds")}
          name="storage"
          columns={columns}
          rows={storage.kinds.map((usage): Row => ({ usage }))}
          rowKey={({ usage }) => usage.kind}
          summary={[{ key: "sum", row: { usage: sum, sum: true } }]}
        />
      </Section>
      <Section title={t("storage.inside")}>
        <Inside storage={storage} />
      </Section>
    </>
  );
}

/** Opens the form, for who may. */
function Change() {
  const t = useT();
  const may = useMay();
  const [open, setOpen] = useState(false);
  if (!may("system.write")) return null;
  return (
    <>
      <Button onClick={() => setOpen(true)}>{t("retention.change")}</Button>
      {open && <RetentionDialog onClose={() => setOpen(false)} />}
    </>
  );
}

function Inside({ storage }: { storage: Storage }) {
  const t = useT();
  const format = useFormat();
  return (
    <Facts
      items={[
        [t("storage.series"), format.count(storage.series)],
        [t("storage.waiting"), format.count(storage.waiting)],
        [
          t("storage.setAside"),
          storage.set_aside === 0 ? (
            format.count(0)
          ) : (
            <span key="damage">
              <Mark status="warning">{t("storage.files.n", { n: storage.set_aside })}</Mark> {t("storage.damaged")}
            </span>
          ),
        ],
      ]}
    />
  );
}

type Row = { usage: StorageUsage; sum?: boolean };

function useColumns(): readonly Column<Row>[] {
  const t = useT();
  const format = useFormat();
  const number = (id: string, header: string, cell: (usage: StorageUsage) => string, width = 104): Column<Row> => ({
    id,
    header,
    width,
    right: true,
    priority: 2,
    cell: ({ usage }) => cell(usage),
  });
  return [
    {
      id: "kind",
      header: t("storage.kind"),
      cell: ({ usage, sum }) => (sum ? t("talkers.total") : t(`storage.kind.${usage.kind}`)),
    },
    { ...number("bytes", t("storage.used"), ({ bytes }) => format.volume(bytes), 96), priority: 1 },
    {
      id: "share",
      header: t("storage.ofLimit"),
      width: 132,
      priority: 2,
      cell: ({ usage }) => <Bar part={usage.bytes} whole={usage.keep_bytes} />,
    },
    { ...number("keepBytes", t("storage.keepBytes"), ({ keep_bytes }) => format.volume(keep_bytes)), priority: 3 },
    {
      ...number("keep", t("storage.keepAge"), ({ keep_seconds }) => format.duration(keep_seconds), 96),
      cell: ({ usage, sum }) => (sum ? "" : format.duration(usage.keep_seconds)),
    },
    {
      ...number("oldest", t("storage.oldest"), () => ""),
      width: 118,
      cell: ({ usage: { oldest } }) => (oldest == null ? "–" : format.day(Date.parse(oldest))),
    },
    {
      ...number("growth", t("storage.growth"), () => ""),
      width: 128,
      priority: 3,
      cell: ({ usage: { bytes_per_day } }) =>
        bytes_per_day == null ? "–" : t("storage.perDay", { volume: format.volume(bytes_per_day) }),
    },
    {
      ...number("reached", t("storage.first"), () => ""),
      width: 124,
      priority: 3,
      cell: ({ usage, sum }) => (sum ? "" : t(`storage.first.${limitOf(usage)}`)),
    },
    { ...number("files", t("storage.files"), ({ files }) => format.count(files), 64), priority: 3 },
  ];
}

function Bar({ part, whole }: { part: number; whole: number }) {
  const format = useFormat();
  const share = whole > 0 ? Math.min(1, part / whole) : 0;
  return (
    <span className={styles.bar}>
      <span className={styles.track}>
        <span style={{ width: `${share * 100}%` }} data-full={share > 0.9} />
      </span>
      {format.percent(part, whole)}
    </span>
  );
}
