/** The capture points: whether frames arrive, how many, and what was dropped. */
import { useQuery } from "@tanstack/react-query";
import { interfacesQuery } from "~/api/queries";
import type { Interface } from "~/api/schema";
import { useT } from "~/i18n";
import { commandsIn } from "~/lib/commands";
import { term } from "~/lib/filter";
import { useFormat } from "~/prefs/use-format";
import { CaptureState } from "~/ui/capture-state";
import { type Column, DataTable } from "~/ui/data-table";
import { Command, Empty, ProblemBox, Skeleton } from "~/ui/feedback";
import { TimeAgo } from "~/ui/time-ago";
import { Value } from "~/ui/value";
import styles from "./health.module.css";

export function Interfaces({ brief = false }: { brief?: boolean }) {
  const t = useT();
  const { data, error, refetch } = useQuery(interfacesQuery);
  const columns = useInterfaceColumns(brief);
  if (data === undefined) {
    if (error === null) return <Skeleton height={110} />;
    return <ProblemBox error={error} subject={t("health.interfaces")} onRetry={() => void refetch()} />;
  }
  if (data.items.length === 0) {
    return (
      <Empty title={t("capture.none")}>
        <p>{t("capture.noneText")}</p>
        <Command>netwatch interfaces</Command>
      </Empty>
    );
  }
  return (
    <>
      <DataTable
        label={t("health.interfaces")}
        name={brief ? "interfaces-brief" : "interfaces"}
        columns={columns}
        rows={data.items}
        rowKey={(row) => row.name}
      />
      {!brief && <CaptureHelp items={data.items} />}
    </>
  );
}

/** What the server says about each interface that does not capture: why, and the command that mends it. */
export function CaptureHelp({ items }: { items: readonly Interface[] }) {
  return items
    .filter(({ detail, state }) => detail != null && detail !== "" && state !== "capturing")
    .map(({ name, detail, state }) => (
      <div key={name} className={styles.help} data-state={state}>
        <p>
          <CaptureState state={state} /> <strong className="mono">{name}</strong>
        </p>
        <Detail text={detail ?? ""} />
      </div>
    ));
}

/** Why nothing can be seen, when no interface captures. */
export function CaptureStopped() {
  const { data } = useQuery(interfacesQuery);
  const stopped = data?.items.filter(({ state }) => state === "denied" || state === "interrupted") ?? [];
  return stopped.length === data?.items.length ? <CaptureHelp items={stopped} /> : null;
}

/** A sentence with commands in backquotes; the commands can be copied. */
function Detail({ text }: { text: string }) {
  const parts = text.split(/`([^`]+)`/);
  const commands = commandsIn(text);
  return (
    <>
      <p>
        {parts.map((part, i) =>
          // biome-ignore lint/suspicious/noArrayIndexKey: the parts of a sentence have no other identity
          i % 2 === 1 ? <code key={i}>{part}</code> : part,
        )}
      </p>
      {commands.map((command) => (
        <Command key={command}>{command}</Command>
      ))}
    </>
  );
}

function useInterfaceColumns(brief: boolean): readonly Column<Interface>[] {
  const t = useT();
  const format = useFormat();
  const columns: Column<Interface>[] = [
    {
      id: "name",
      header: t("column.interface"),
      cell: ({ name }) => <Value text={name} term={term("interface", name)} elsewhere inRow={false} />,
    },
    { id: "state", header: t("column.state"), width: 118, cell: ({ state }) => <CaptureState state={state} /> },
    {
      id: "in",
      header: t("column.in"),
      unit: format.rateUnit,
      width: 96,
      right: true,
      cell: (row) => format.rateFigures(row.rate_in),
    },
    {
      id: "out",
      header: t("column.out"),
      unit: format.rateUnit,
      width: 96,
      right: true,
      cell: (row) => format.rateFigures(row.rate_out),
    },
    {
      id: "drops",
      header: t("column.drops"),
      width: 92,
      right: true,
      priority: 2,
      cell: (row) => format.roughCount(row.kernel_drops),
    },
  ];
  if (brief) return columns;
  return [
    ...columns,
    {
      id: "frames",
      header: t("column.frames"),
      width: 92,
      right: true,
      priority: 2,
      cell: (row) => format.roughCount(row.frames),
    },
    {
      id: "totalIn",
      header: t("column.totalIn"),
      unit: "B",
      width: 108,
      right: true,
      priority: 3,
      cell: (row) => format.quantity(row.octets_in),
    },
    {
      id: "totalOut",
      header: t("column.totalOut"),
      unit: "B",
      width: 108,
      right: true,
      priority: 3,
      cell: (row) => format.quantity(row.octets_out),
    },
    {
      id: "ring",
      header: t("column.ring"),
      width: 84,
      right: true,
      priority: 3,
      cell: (row) => format.percent(row.ring_fill, 1),
    },
    {
      id: "seen",
      header: t("column.lastSeen"),
      width: 112,
      right: true,
      priority: 2,
      cell: ({ last_seen }) => (last_seen == null ? t("capture.never") : <TimeAgo time={last_seen} />),
    },
  ];
}
