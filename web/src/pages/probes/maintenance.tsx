/** Windows of maintenance: when which probes are not held to anything. */
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useSearch } from "@tanstack/react-router";
import { useState } from "react";
import { deleteWindow, maintenanceQuery } from "~/api/maintenance";
import type { Maintenance } from "~/api/schema";
import type { AppSearch } from "~/app/search";
import { useT } from "~/i18n";
import { useFormat } from "~/prefs/use-format";
import { useMay } from "~/session/session";
import { Button, Mark } from "~/ui/controls";
import type { Column } from "~/ui/data-table";
import { Empty } from "~/ui/feedback";
import { Confirm } from "~/ui/form-dialog";
import { List } from "~/ui/list";
import { ManagedBy } from "~/ui/managed-by";
import { Page } from "~/ui/page";
import { SearchField, usePaging } from "~/ui/pages";
import { RowMenu } from "~/ui/row-menu";
import { MaintenanceDialog } from "./maintenance-dialog";
import { ProbesTabs } from "./probes-tabs";

type Open = { kind: "create" } | { kind: "edit" | "delete"; window: Maintenance };

const refresh = 30_000;

export function MaintenancePage() {
  const t = useT();
  const may = useMay();
  const client = useQueryClient();
  const [open, setOpen] = useState<Open>();
  const { q } = useSearch({ strict: false }) as AppSearch;
  const paging = usePaging(q ?? "");
  const query = useQuery({
    ...maintenanceQuery({ ...(q && { search: q }), ...(paging.cursor && { cursor: paging.cursor }) }),
    refetchInterval: refresh,
  });
  const close = () => setOpen(undefined);
  const create = may("probes.write") && (
    <Button look="primary" onClick={() => setOpen({ kind: "create" })}>
      {t("maintenance.new")}
    </Button>
  );
  return (
    <Page
      title={t("page.maintenance")}
      actions={
        <>
          <ProbesTabs />
          <SearchField label={t("maintenance.search")} />
          {create}
        </>
      }
    >
      <List
        query={query}
        paging={paging}
        label={t("page.maintenance")}
        name="maintenance"
        columns={useColumns(setOpen)}
        rowKey={(row) => row.id}
        empty={
          q ? (
            <Empty title={t("list.noMatch")} />
          ) : (
            <Empty title={t("maintenance.none")} action={create}>
              <p>{t("maintenance.noneText")}</p>
            </Empty>
          )
        }
      />
      {open?.kind === "create" && <MaintenanceDialog onClose={close} />}
      {open?.kind === "edit" && <MaintenanceDialog window={open.window} onClose={close} />}
      {open?.kind === "delete" && (
        <Confirm
          title={t("maintenance.deleteTitle", { name: open.window.name })}
          text={t("maintenance.deleteText")}
          submit={t("action.delete")}
          onClose={close}
          onSubmit={async () => {
            await deleteWindow(open.window.id, open.window.revision);
            await client.invalidateQueries({ queryKey: ["maintenance"] });
            await client.invalidateQueries({ queryKey: ["probes"] });
          }}
        />
      )}
    </Page>
  );
}

function useColumns(onOpen: (open: Open) => void): readonly Column<Maintenance>[] {
  const t = useT();
  const may = useMay();
  const format = useFormat();
  const scheduleText = useScheduleText();
  return [
    { id: "name", header: t("list.name"), width: 180, cell: (row) => row.name },
    {
      id: "state",
      header: t("column.state"),
      width: 100,
      cell: (row) => (
        <Mark status={row.active ? "warning" : row.next == null ? "silent" : "ok"}>
          {t(row.active ? "maintenance.active" : row.next == null ? "maintenance.over" : "maintenance.planned")}
        </Mark>
      ),
    },
    { id: "schedule", header: t("maintenance.when"), width: 280, cell: (row) => scheduleText(row) },
    {
      id: "next",
      header: t("maintenance.next"),
      width: 220,
      priority: 2,
      cell: ({ next }) =>
        next == null ? "–" : `${format.dateTime(Date.parse(next.start))} – ${format.dateTime(Date.parse(next.end))}`,
    },
    {
      id: "probes",
      header: t("page.probes"),
      width: 84,
      right: true,
      priority: 2,
      cell: (row) => (row.selection.all ? t("maintenance.all") : format.count(row.probes)),
    },
    {
      id: "actions",
      header: t("list.actions"),
      width: 112,
      right: true,
      cell: (row) =>
        row.managed_by != null ? (
          <ManagedBy file={row.managed_by} />
        ) : may("probes.write") ? (
          <RowMenu
            name={row.name}
            items={[
              { label: t("action.edit"), onSelect: () => onOpen({ kind: "edit", window: row }) },
              { label: t("action.delete"), onSelect: () => onOpen({ kind: "delete", window: row }) },
            ]}
          />
        ) : null,
    },
  ];
}

/** When it is, in words: once from to, or on which days at which time for how long. */
function useScheduleText(): (window: Maintenance) => string {
  const t = useT();
  const format = useFormat();
  return ({ schedule }) => {
    if (schedule.repeat === "once") {
      return `${format.dateTime(Date.parse(schedule.start))} – ${format.dateTime(Date.parse(schedule.end))}`;
    }
    const { days = [], time, duration, zone } = schedule;
    const on = days.length === 0 ? t("maintenance.daily") : days.map((day) => t(`maintenance.day.${day}`)).join(", ");
    return t("maintenance.at", { days: on, time, duration: format.duration(duration), zone });
  };
}
