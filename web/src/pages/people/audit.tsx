/** The audit log: who did what, when, from where, with before and after; searchable, as a file, and verified. */
import { useQuery } from "@tanstack/react-query";
import { useNavigate, useSearch } from "@tanstack/react-router";
import { useState } from "react";
import { auditQuery } from "~/api/people";
import type { AuditRecord } from "~/api/schema";
import { type AppSearch, outcomes } from "~/app/search";
import { useT } from "~/i18n";
import { auditFile } from "~/lib/paths";
import { useFormat } from "~/prefs/use-format";
import { useMay } from "~/session/session";
import { buttonClass, Mark, Segmented, Select } from "~/ui/controls";
import type { Column } from "~/ui/data-table";
import { Empty } from "~/ui/feedback";
import { Icon } from "~/ui/icons";
import { List } from "~/ui/list";
import { SearchField, usePaging } from "~/ui/pages";
import { SettingsFrame } from "../settings/settings-frame";
import { actions, isAction } from "./audit-actions";
import { AuditPanel } from "./audit-panel";
import { Verification } from "./audit-verification";
import styles from "./people.module.css";
import { useActor } from "./use-actor";

export function AuditPage() {
  const may = useMay();
  const search = useSearch({ strict: false }) as AppSearch;
  const site = may("site.audit") && (search.scope === "site" || !may("audit.read"));
  const question = {
    ...(search.q && { search: search.q }),
    ...(search.action && { action: search.action }),
    ...(search.outcome && { outcome: search.outcome }),
  };
  return (
    <SettingsFrame page="audit" actions={<Files question={question} site={site} />}>
      <Filters site={site} />
      {site && <Verification />}
      <Records question={question} site={site} />
    </SettingsFrame>
  );
}

type Question = { search?: string; action?: string; outcome?: string };

function Files({ question, site }: { question: Question; site: boolean }) {
  const t = useT();
  return (["csv", "json"] as const).map((format) => (
    <a key={format} className={buttonClass()} href={auditFile(question, format, site)} download={`audit.${format}`}>
      <Icon name="download" size={14} />
      {t(`audit.${format}`)}
    </a>
  ));
}

function Filters({ site }: { site: boolean }) {
  const t = useT();
  const may = useMay();
  const navigate = useNavigate();
  const { action = "", outcome = "" } = useSearch({ strict: false }) as AppSearch;
  const set = (change: AppSearch) =>
    void navigate({ to: ".", search: (previous: AppSearch) => ({ ...previous, ...change }), replace: true });
  return (
    <div className={styles.filters}>
      <SearchField label={t("audit.search")} />
      <Select
        label={t("audit.action")}
        hideLabel
        value={isAction(action) ? action : ""}
        options={[
          { value: "", label: t("audit.allActions") },
          ...actions.map((value) => ({ value, label: t(`audit.action.${value}`) })),
        ]}
        onChange={(value) => set({ action: value || undefined })}
      />
      <Segmented
        label={t("audit.outcome")}
        value={outcome}
        options={[
          { value: "", label: t("audit.allOutcomes") },
          ...outcomes.map((value) => ({ value, label: t(`audit.outcome.${value}`) })),
        ]}
        onChange={(value) => set({ outcome: value === "" ? undefined : value })}
      />
      {may("site.audit") && may("audit.read") && (
        <Segmented
          label={t("audit.scope")}
          value={site ? "site" : ""}
          options={[
            { value: "", label: t("audit.workspace") },
            { value: "site", label: t("audit.site") },
          ]}
          onChange={(value) => set({ scope: value === "site" ? "site" : undefined })}
        />
      )}
    </div>
  );
}

function Records({ question, site }: { question: Question; site: boolean }) {
  const t = useT();
  const [open, setOpen] = useState<AuditRecord>();
  const paging = usePaging(JSON.stringify([question, site]));
  const query = useQuery(auditQuery({ ...question, ...(paging.cursor && { cursor: paging.cursor }) }, site));
  return (
    <>
      <List
        query={query}
        paging={paging}
        label={t("page.audit")}
        name="audit"
        columns={useColumns()}
        rowKey={(row) => String(row.sequence)}
        onOpen={setOpen}
        selected={open && String(open.sequence)}
        empty={<Empty title={t("list.noMatch")} />}
      />
      {open !== undefined && <AuditPanel record={open} onClose={() => setOpen(undefined)} />}
    </>
  );
}

function useColumns(): Column<AuditRecord>[] {
  const t = useT();
  const format = useFormat();
  const actorOf = useActor();
  return [
    {
      id: "time",
      header: t("audit.time"),
      width: 170,
      cell: (row) => (
        <time dateTime={row.time} title={format.moment(Date.parse(row.time))}>
          {format.dateTime(Date.parse(row.time))}
        </time>
      ),
    },
    { id: "actor", header: t("audit.actor"), width: 140, priority: 2, cell: (row) => actorOf(row.actor) },
    {
      id: "action",
      header: t("audit.action"),
      width: 210,
      cell: (row) => (isAction(row.action) ? t(`audit.action.${row.action}`) : row.action),
    },
    { id: "object", header: t("audit.object"), mono: true, priority: 2, cell: (row) => row.object.name },
    {
      id: "outcome",
      header: t("audit.outcome"),
      width: 110,
      cell: (row) => (
        <Mark status={row.outcome === "refused" ? "warning" : "ok"}>
          {t(row.outcome === "refused" ? "audit.outcome.refused" : "audit.outcome.done")}
        </Mark>
      ),
    },
    {
      id: "address",
      header: t("audit.address"),
      mono: true,
      width: 130,
      priority: 3,
      cell: (row) => row.address ?? "–",
    },
  ];
}
