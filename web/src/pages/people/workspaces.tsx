/** All workspaces of the site, for site administrators: made here, and opened from here. */
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useSearch } from "@tanstack/react-router";
import { useState } from "react";
import { api, dataOf } from "~/api/client";
import { workspacesQuery } from "~/api/people";
import { sessionQuery } from "~/api/queries";
import type { Workspace } from "~/api/schema";
import type { AppSearch } from "~/app/search";
import { useT } from "~/i18n";
import { useFormat } from "~/prefs/use-format";
import { openWorkspace, useSession } from "~/session/session";
import { Button, Mark } from "~/ui/controls";
import type { Column } from "~/ui/data-table";
import { Empty } from "~/ui/feedback";
import { errorOf, TextField } from "~/ui/form";
import { FormDialog } from "~/ui/form-dialog";
import { List } from "~/ui/list";
import { Moment } from "~/ui/moment";
import { SearchField, usePaging } from "~/ui/pages";
import { SettingsFrame } from "../settings/settings-frame";

export function WorkspacesPage() {
  const t = useT();
  const [making, setMaking] = useState(false);
  return (
    <SettingsFrame
      page="workspaces"
      actions={
        <>
          <SearchField label={t("workspaces.search")} />
          <Button look="primary" onClick={() => setMaking(true)}>
            {t("workspaces.create")}
          </Button>
        </>
      }
    >
      <Workspaces />
      {making && <CreateDialog onClose={() => setMaking(false)} />}
    </SettingsFrame>
  );
}

function Workspaces() {
  const t = useT();
  const { q } = useSearch({ strict: false }) as AppSearch;
  const paging = usePaging(q ?? "");
  const query = useQuery(workspacesQuery({ ...(q && { search: q }), ...(paging.cursor && { cursor: paging.cursor }) }));
  return (
    <List
      query={query}
      paging={paging}
      label={t("page.workspaces")}
      name="workspaces"
      columns={useColumns()}
      rowKey={(row) => row.id}
      empty={<Empty title={t("list.noMatch")} />}
    />
  );
}

function useColumns(): Column<Workspace>[] {
  const t = useT();
  const format = useFormat();
  const open = useSession()?.workspace?.id;
  return [
    { id: "name", header: t("list.name"), cell: (row) => row.name },
    {
      id: "members",
      header: t("page.members"),
      width: 110,
      right: true,
      cell: (row) => format.count(row.usage.members),
    },
    {
      id: "tokens",
      header: t("page.tokens"),
      width: 110,
      right: true,
      priority: 2,
      cell: (row) => format.count(row.usage.tokens),
    },
    { id: "made", header: t("list.made"), width: 130, priority: 2, cell: (row) => <Moment time={row.created} /> },
    {
      id: "open",
      header: t("list.actions"),
      width: 110,
      right: true,
      cell: (row) =>
        row.id === open ? (
          <Mark status="ok">{t("workspaces.isOpen")}</Mark>
        ) : (
          <Button onClick={() => void openWorkspace(row.id)}>{t("workspaces.open")}</Button>
        ),
    },
  ];
}

function CreateDialog({ onClose }: { onClose: () => void }) {
  const t = useT();
  const client = useQueryClient();
  const [name, setName] = useState("");
  return (
    <FormDialog
      title={t("workspaces.create")}
      submit={t("workspaces.create")}
      disabled={name.trim() === ""}
      fields={["name"]}
      onClose={onClose}
      onSubmit={async () => {
        await dataOf(api.POST("/api/v1/workspaces", { body: { name: name.trim() } }));
        await client.invalidateQueries({ queryKey: ["workspaces"] });
        await client.invalidateQueries({ queryKey: sessionQuery.queryKey });
      }}
    >
      {(error) => (
        <TextField
          label={t("list.name")}
          hint={t("workspaces.createHint")}
          first
          required
          maxLength={100}
          value={name}
          error={errorOf(error, "name")}
          onChange={setName}
        />
      )}
    </FormDialog>
  );
}
