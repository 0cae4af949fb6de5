/** Who carried how much: one table for each dimension, with everything else and the total in the last rows. */
import { useNavigate } from "@tanstack/react-router";
import type { Dimension, Talker } from "~/api/schema";
import type { AppSearch } from "~/app/search";
import { useT } from "~/i18n";
import { useFormat } from "~/prefs/use-format";
import { useTop } from "~/stream/use-top";
import { useTime } from "~/time/time";
import { Tabs } from "~/ui/controls";
import { type Column, DataTable } from "~/ui/data-table";
import { Empty, ProblemBox, Skeleton } from "~/ui/feedback";
import { Hint, Section } from "~/ui/page";
import { Share } from "~/ui/share";
import { Value } from "~/ui/value";

const tabs = [
  "host",
  "pair",
  "application",
  "port",
  "name",
  "process",
  "protocol",
  "vlan",
] as const satisfies readonly Dimension[];
const rows = 10;

type TalkersProps = { search: AppSearch; dimmed?: boolean };

export function Talkers({ search }: TalkersProps) {
  const t = useT();
  const format = useFormat();
  const navigate = useNavigate();
  const time = useTime();
  const by = search.tab ?? "host";
  const { data, error, stale } = useTop({ by, limit: rows, ...(search.filter && { filter: search.filter }) }, time);
  const top = data?.by === by ? data : undefined;
  const seconds = top === undefined ? 1 : Math.max(1, (Date.parse(top.to) - Date.parse(top.from)) / 1000);
  const columns = useTalkerColumns(by, seconds, top?.total.octets ?? 0);
  return (
    <Section
      title={t("talkers.title")}
      hint={
        top !== undefined && top.error_octets > 0
          ? t("talkers.error", { volume: format.volume(top.error_octets) })
          : undefined
      }
      actions={by === "host" ? <Hint>{t("talkers.bothEnds")}</Hint> : undefined}
    >
      <Tabs
        label={t("talkers.by")}
        value={by}
        options={tabs.map((value) => ({ value, label: t(`dimension.${value}`) }))}
        onChange={(tab) =>
          void navigate({
            to: ".",
            search: (now: AppSearch) => ({ ...now, tab: tab === "host" ? undefined : tab }),
            replace: true,
          })
        }
      />
      {error !== undefined && error !== null && <ProblemBox error={error} subject={t("talkers.title")} />}
      {top === undefined ? (
        error === undefined && <Skeleton height={11 * 32} />
      ) : top.items.length === 0 ? (
        <Empty title={t("talkers.none")}>
          <p>{t(by === "process" ? "talkers.noneProcess" : by === "name" ? "talkers.noneName" : "talkers.noneText")}</p>
        </Empty>
      ) : (
        <DataTable
          label={t("talkers.title")}
          name="talkers"
          columns={columns}
          rows={top.items}
          rowKey={(row) => row.key}
          dimmed={stale}
          selected={search.talker?.startsWith(`${by}:`) ? search.talker.slice(by.length + 1) : undefined}
          onOpen={(row) =>
            void navigate({
              to: ".",
              search: (now: AppSearch) => ({ ...now, talker: `${by}:${row.key}`, flow: undefined }),
            })
          }
          summary={[
            ...(top.other.octets > 0
              ? [{ key: "other", row: { ...top.other, label: t("talkers.other"), key: "" } }]
              : []),
            { key: "total", row: { ...top.total, label: t("talkers.total"), key: "" } },
          ]}
        />
      )}
    </Section>
  );
}

export function useTalkerColumns(by: Dimension, seconds: number, total: number): readonly Column<Talker>[] {
  const t = useT();
  const format = useFormat();
  return [
    {
      id: "label",
      header: t(`dimension.${by}`),
      width: 340,
      cell: (row) =>
        row.key === "" ? (
          row.label
        ) : (
          <Value text={row.label} term={row.filter} host={by === "host" ? row.key : undefined} inRow />
        ),
    },
    {
      id: "share",
      header: t("column.share"),
      width: 150,
      priority: 2,
      cell: (row) => <Share part={row.octets} whole={total} id={row.key} />,
    },
    {
      id: "in",
      header: t("column.in"),
      unit: format.rateUnit,
      width: 104,
      right: true,
      priority: 2,
      cell: (row) => format.rateFigures(row.octets_in / seconds),
    },
    {
      id: "out",
      header: t("column.out"),
      unit: format.rateUnit,
      width: 104,
      right: true,
      priority: 2,
      cell: (row) => format.rateFigures(row.octets_out / seconds),
    },
    {
      id: "octets",
      header: t("column.volume"),
      unit: "B",
      width: 92,
      right: true,
      cell: (row) => format.quantity(row.octets),
    },
    {
      id: "packets",
      header: t("column.packets"),
      width: 92,
      right: true,
      priority: 3,
      cell: (row) => format.roughCount(row.packets),
    },
    {
      id: "flows",
      header: t("column.flows"),
      width: 84,
      right: true,
      priority: 3,
      cell: (row) => format.roughCount(row.flows),
    },
  ];
}
