/** The map as a table: its nodes, those of bad state first. */
import type { MapNode, NetworkMap } from "~/api/schema";
import { useT } from "~/i18n";
import { useFormat } from "~/prefs/use-format";
import { Mark } from "~/ui/controls";
import { type Column, DataTable } from "~/ui/data-table";
import { marks } from "../state";
import { nameOf } from "./marks";

const order = { down: 0, degraded: 1, up: 2, unknown: 3 } as const;

type NodeTableProps = {
  map: NetworkMap;
  found: ReadonlySet<string> | undefined;
  selected: string | undefined;
  onSelect: (node: string) => void;
};

export function NodeTable({ map, found, selected, onSelect }: NodeTableProps) {
  const t = useT();
  const rows = map.nodes
    .filter(({ id }) => found === undefined || found.has(id))
    .toSorted((a, b) => order[a.state] - order[b.state] || a.distance - b.distance || (a.id < b.id ? -1 : 1));
  return (
    <DataTable
      label={t("page.map")}
      name="network-map"
      columns={useNodeColumns(map)}
      rows={rows}
      rowKey={({ id }) => id}
      selected={selected}
      onOpen={({ id }) => onSelect(id)}
    />
  );
}

function useNodeColumns(map: NetworkMap): readonly Column<MapNode>[] {
  const t = useT();
  const format = useFormat();
  const systems = new Map(map.systems.map(({ asn, name }) => [asn, name]));
  return [
    {
      id: "name",
      header: t("list.name"),
      width: 220,
      cell: (row) => <span title={nameOf(row, t)}>{nameOf(row, t)}</span>,
    },
    { id: "address", header: t("map.address"), width: 150, mono: true, priority: 2, cell: (row) => row.address ?? "–" },
    { id: "kind", header: t("map.what"), width: 96, priority: 2, cell: (row) => t(`map.kind.${row.kind}`) },
    {
      id: "state",
      header: t("column.state"),
      width: 104,
      cell: (row) => <Mark status={marks[row.state]}>{t(`probes.state.${row.state}`)}</Mark>,
    },
    {
      id: "loss",
      header: t("probes.loss"),
      width: 76,
      right: true,
      cell: (row) => (row.loss == null ? "–" : format.percent(row.loss, 1)),
    },
    {
      id: "rtt",
      header: t("map.rtt"),
      width: 96,
      right: true,
      cell: (row) => (row.rtt == null ? "–" : format.duration(row.rtt)),
    },
    {
      id: "distance",
      header: t("map.distance"),
      width: 84,
      right: true,
      priority: 3,
      cell: (row) => format.count(row.distance),
    },
    {
      id: "asn",
      header: t("trace.asn"),
      width: 150,
      priority: 3,
      cell: (row) => (row.asn == null ? "–" : `AS${row.asn} ${systems.get(row.asn) ?? ""}`),
    },
    {
      id: "traces",
      header: t("page.traces"),
      width: 76,
      right: true,
      priority: 3,
      cell: (row) => format.count(row.traces),
    },
  ];
}
