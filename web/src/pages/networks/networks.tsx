/** Names of address ranges of the workspace: a list, replaced by a CSV file, and saved as one. */
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useSearch } from "@tanstack/react-router";
import { useRef } from "react";
import type { AddressRange } from "~/api/schema";
import { putRanges, rangesQuery } from "~/api/storage";
import type { AppSearch } from "~/app/search";
import { useT } from "~/i18n";
import { useMay } from "~/session/session";
import { Button, buttonClass } from "~/ui/controls";
import type { Column } from "~/ui/data-table";
import { Command, Empty } from "~/ui/feedback";
import { FormProblem } from "~/ui/form";
import { Icon } from "~/ui/icons";
import { List } from "~/ui/list";
import { ManagedNote } from "~/ui/managed-by";
import { SearchField, usePaging } from "~/ui/pages";
import { SettingsFrame } from "../settings/settings-frame";

export function NetworksPage() {
  const t = useT();
  const may = useMay();
  const { q } = useSearch({ strict: false }) as AppSearch;
  const paging = usePaging(q ?? "");
  const query = useQuery(rangesQuery({ ...(q && { search: q }), ...(paging.cursor && { cursor: paging.cursor }) }));
  const columns: Column<AddressRange>[] = [
    { id: "name", header: t("list.name"), cell: (row) => row.name },
    { id: "network", header: t("networks.network"), mono: true, cell: (row) => row.network },
  ];
  const import_ = useImport(query.data?.tag);
  const file = query.data?.managed_by;
  return (
    <SettingsFrame
      page="networks"
      actions={
        <>
          <SearchField label={t("networks.search")} />
          <a className={buttonClass()} href="/api/v1/address-ranges?format=csv" download="address-ranges.csv">
            <Icon name="download" size={14} />
            {t("networks.export")}
          </a>
          {may("networks.write") && file == null && import_.button}
        </>
      }
    >
      <ManagedNote file={file} />
      {import_.outcome}
      <List
        query={query}
        paging={paging}
        label={t("page.networks")}
        name="networks"
        columns={columns}
        rowKey={(row) => row.network}
        empty={q === undefined ? <None /> : <Empty title={t("list.noMatch")} />}
      />
    </SettingsFrame>
  );
}

/** The button that takes a file, and what came of it. */
function useImport(tag: string | undefined) {
  const t = useT();
  const client = useQueryClient();
  const input = useRef<HTMLInputElement>(null);
  const change = useMutation({
    mutationFn: async (file: File) => putRanges(await file.text(), tag ?? ""),
    onSuccess: () => client.invalidateQueries({ queryKey: ["address-ranges"] }),
  });
  const button = (
    <>
      <input
        ref={input}
        type="file"
        accept=".csv,text/csv,text/plain"
        hidden
        aria-label={t("networks.file")}
        onChange={({ target }) => {
          const file = target.files?.[0];
          if (file !== undefined) change.mutate(file);
          // The same file can be chosen again, after it was corrected.
          target.value = "";
        }}
      />
      <Button look="primary" disabled={change.isPending || tag === undefined} onClick={() => input.current?.click()}>
        {t("networks.import")}
      </Button>
    </>
  );
  const outcome = (
    <>
      <FormProblem error={change.error} subject={t("networks.import")} />
      {change.data !== undefined && <p role="status">{t("networks.imported", { n: change.data.ranges })}</p>}
    </>
  );
  return { button, outcome };
}

function None() {
  const t = useT();
  return (
    <Empty title={t("networks.none")}>
      <p>{t("networks.noneText")}</p>
      <Command>{t("networks.example")}</Command>
    </Empty>
  );
}
