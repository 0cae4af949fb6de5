/** The columns of a list of flows, the same on every page that has one. */
import { useMemo } from "react";
import type { Flow } from "~/api/schema";
import { useT } from "~/i18n";
import { durationOf, endpoint, isOther, meanRate, protocolName } from "~/lib/dimension";
import { term } from "~/lib/filter";
import { useFormat } from "~/prefs/use-format";
import type { Column } from "~/ui/data-table";
import { FlowState } from "~/ui/flow-state";
import { Value } from "~/ui/value";

export function useFlowColumns(elsewhere = false): readonly Column<Flow>[] {
  const t = useT();
  const format = useFormat();
  return useMemo(() => {
    const value = (text: string, filter: string | undefined, host?: string) => (
      <Value text={text} term={filter} host={host} inRow elsewhere={elsewhere} />
    );
    const text = (field: string, of: (flow: Flow) => string | null | undefined) => (flow: Flow) => {
      const found = of(flow);
      return found == null || found === "" ? <Nothing /> : value(found, term(field, found));
    };
    const columns: Column<Flow>[] = [
      {
        id: "source",
        header: t("column.source"),
        width: 156,
        cell: (flow) =>
          isOther(flow)
            ? t("flows.otherRow", { n: flow.conversations })
            : value(endpoint(flow.source, flow.source_port), term("src", flow.source, true), flow.source),
      },
      {
        id: "destination",
        header: t("column.destination"),
        width: 156,
        cell: (flow) =>
          isOther(flow)
            ? null
            : value(
                endpoint(flow.destination, hasPorts(flow) ? flow.destination_port : 0),
                term("dst", flow.destination, true),
                flow.destination,
              ),
      },
      { id: "name", header: t("column.name"), width: 124, priority: 2, cell: text("name", (flow) => flow.name) },
      {
        id: "application",
        header: t("column.application"),
        width: 84,
        priority: 2,
        cell: text("application", (flow) => flow.application),
      },
      {
        id: "process",
        header: t("column.process"),
        width: 84,
        priority: 3,
        cell: text("process", (flow) => flow.process?.name),
      },
      {
        id: "bytes",
        header: t("column.volume"),
        unit: "B",
        width: 96,
        right: true,
        sort: "bytes",
        cell: (flow) => format.quantity(flow.octets + flow.reverse_octets),
      },
      {
        id: "rate",
        header: t("column.rate"),
        unit: format.rateUnit,
        width: 86,
        right: true,
        priority: 2,
        sort: "rate",
        cell: (flow) => format.rateFigures(meanRate(flow)),
      },
      {
        id: "duration",
        header: t("column.duration"),
        width: 88,
        right: true,
        priority: 2,
        sort: "duration",
        cell: (flow) => format.duration(durationOf(flow)),
      },
      {
        id: "start",
        header: t("column.start"),
        width: 82,
        right: true,
        priority: 3,
        sort: "start",
        cell: (flow) => (
          <time title={format.moment(Date.parse(flow.start))}>{format.clock(Date.parse(flow.start))}</time>
        ),
      },
      { id: "state", header: t("column.state"), width: 108, priority: 3, cell: (flow) => <FlowState flow={flow} /> },
    ];
    return [...columns, ...optionalColumns()];

    function optionalColumns(): Column<Flow>[] {
      const optional = { optional: true, priority: 3 } as const;
      return [
        {
          ...optional,
          id: "packets",
          header: t("column.packets"),
          width: 84,
          right: true,
          sort: "packets",
          cell: (flow) => format.roughCount(flow.packets + flow.reverse_packets),
        },
        {
          ...optional,
          id: "sent",
          header: t("column.sent"),
          unit: "B",
          width: 84,
          right: true,
          cell: (flow) => format.quantity(flow.octets),
        },
        {
          ...optional,
          id: "received",
          header: t("column.answered"),
          unit: "B",
          width: 92,
          right: true,
          cell: (flow) => format.quantity(flow.reverse_octets),
        },
        {
          ...optional,
          id: "protocol",
          header: t("column.protocol"),
          width: 84,
          cell: (flow) => value(protocolName(flow.protocol), term("protocol", protocolName(flow.protocol), true)),
        },
        {
          ...optional,
          id: "interface",
          header: t("column.interface"),
          width: 92,
          cell: text("interface", (flow) => flow.interface),
        },
        {
          ...optional,
          id: "vlan",
          header: t("column.vlan"),
          width: 70,
          cell: (flow) => flow.vlan.join(" · ") || <Nothing />,
        },
      ];
    }
  }, [t, format, elsewhere]);
}

/** ICMP has a type and code where others have ports. */
function hasPorts(flow: Flow): boolean {
  return flow.icmp_id == null;
}

function Nothing() {
  return <span aria-hidden="true">–</span>;
}
