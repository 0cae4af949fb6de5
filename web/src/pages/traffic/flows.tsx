/**
 * The list of flows: sorted and paged by the server, page by page with its cursor.
 *
 * While live the first page is asked for every two seconds, but not while the pointer or the focus is in it: rows do not move
 * under the hand. Later pages belong to the moment of the first one.
 */
import { useQuery } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { useState } from "react";
import { type FlowStatus, type FlowsQuestion, flowsQuery } from "~/api/queries";
import type { Flow, FlowSort } from "~/api/schema";
import type { AppSearch } from "~/app/search";
import { useT } from "~/i18n";
import { flowsCsv } from "~/lib/paths";
import { CaptureStopped } from "~/pages/health/interfaces";
import { useFormat } from "~/prefs/use-format";
import { useTime } from "~/time/time";
import { useColumns } from "~/ui/column-state";
import { Button, buttonClass, Segmented } from "~/ui/controls";
import { type Column, DataTable, type Sorting } from "~/ui/data-table";
import { Empty, ProblemBox, Skeleton } from "~/ui/feedback";
import { Icon } from "~/ui/icons";
import { Menu, MenuCheck } from "~/ui/menu";
import { Section } from "~/ui/page";
import { useFlowColumns } from "./flow-columns";
import styles from "./traffic.module.css";

const pageSize = 50;
const refresh = 2000;

type FlowsProps = { search: AppSearch; filter?: string | undefined; elsewhere?: boolean };

/** `filter`: what the list is limited to, the page's own filter by default. */
export function Flows({ search, filter = search.filter, elsewhere = false }: FlowsProps) {
  const t = useT();
  const time = useTime();
  const navigate = useNavigate();
  const columns = useFlowColumns(elsewhere);
  const question: FlowsQuestion = {
    ...time.query,
    ...(filter && { filter }),
    ...(search.status && { status: search.status }),
    sort: search.sort ?? "bytes",
    order: search.order ?? "desc",
    limit: pageSize,
  };
  const set = (change: AppSearch) =>
    void navigate({ to: ".", search: (now: AppSearch) => ({ ...now, ...change }), replace: true });
  const sorting: Sorting = {
    key: search.sort ?? "bytes",
    descending: search.order !== "asc",
    onSort: (key) =>
      set({
        sort: key === "bytes" ? undefined : (key as FlowSort),
        order: key === (search.sort ?? "bytes") && search.order !== "asc" ? "asc" : undefined,
      }),
  };
  const list = useFlowPages(question, time.mode === "live");
  return (
    <Section
      title={t("flows.title")}
      hint={<Extent list={list} />}
      actions={
        <>
          <Segmented<FlowStatus>
            label={t("flows.status")}
            value={search.status ?? "all"}
            options={(["all", "active", "ended"] as const).map((value) => ({ value, label: t(`flows.${value}`) }))}
            onChange={(status) => set({ status: status === "all" ? undefined : status })}
          />
          <ColumnsMenu columns={columns} />
          <a className={buttonClass()} href={flowsCsv(question)} download="flows.csv">
            <Icon name="download" size={14} /> {t("flows.csv")}
          </a>
        </>
      }
    >
      {list.error !== null && <ProblemBox error={list.error} subject={t("flows.title")} onRetry={list.retry} />}
      {list.rows === undefined ? (
        list.error === null && <Skeleton height={12 * 32} />
      ) : list.rows.length === 0 ? (
        <NoFlows filtered={filter !== undefined} search={search} elsewhere={elsewhere} />
      ) : (
        <div {...list.hold}>
          <DataTable<Flow>
            label={t("flows.title")}
            name="flows"
            columns={columns}
            rows={list.rows}
            rowKey={(row) => row.id}
            sorting={sorting}
            selected={search.flow}
            dimmed={list.stale}
            onOpen={(row) =>
              void navigate({ to: ".", search: (now: AppSearch) => ({ ...now, flow: row.id, talker: undefined }) })
            }
          />
          <Pager list={list} />
        </div>
      )}
    </Section>
  );
}

type FlowPages = ReturnType<typeof useFlowPages>;

function useFlowPages(question: FlowsQuestion, live: boolean) {
  const key = JSON.stringify(question);
  const [place, setPlace] = useState<{ key: string; cursors: readonly string[] }>({ key, cursors: [] });
  const [held, setHeld] = useState(false);
  const cursors = place.key === key ? place.cursors : [];
  const cursor = cursors.at(-1);
  const answer = useQuery({
    ...flowsQuery({ ...question, ...(cursor !== undefined && { cursor }) }),
    refetchInterval: live && cursor === undefined && !held ? refresh : false,
    staleTime: cursor === undefined ? 0 : Number.POSITIVE_INFINITY,
  });
  const next = answer.isPlaceholderData ? undefined : (answer.data?.next_cursor ?? undefined);
  return {
    rows: answer.data?.items,
    matched: answer.data?.matched ?? undefined,
    others: answer.data?.other_conversations ?? 0,
    error: answer.error,
    stale: answer.isPlaceholderData,
    page: cursors.length,
    held: held && live,
    next: next === undefined ? undefined : () => setPlace({ key, cursors: [...cursors, next] }),
    previous: cursors.length === 0 ? undefined : () => setPlace({ key, cursors: cursors.slice(0, -1) }),
    retry: () => {
      setPlace({ key, cursors: [] });
      void answer.refetch();
    },
    hold: {
      onPointerEnter: () => setHeld(true),
      onPointerLeave: () => setHeld(false),
      onFocus: () => setHeld(true),
      onBlur: () => setHeld(false),
    },
  };
}

/** Which part of how many, and whether it is held. */
function Extent({ list }: { list: FlowPages }) {
  const t = useT();
  const format = useFormat();
  if (list.rows === undefined || list.rows.length === 0) return null;
  const first = list.page * pageSize + 1;
  const last = first + list.rows.length - 1;
  const range = `${format.count(first)}–${format.count(last)}`;
  return (
    <>
      {list.matched === undefined ? range : t("flows.range", { range, n: list.matched })}
      {list.others > 0 && ` · ${t("flows.others", { n: list.others })}`}
      {list.held && ` · ‖ ${t("flows.held")}`}
    </>
  );
}

function Pager({ list }: { list: FlowPages }) {
  const t = useT();
  if (list.next === undefined && list.previous === undefined) return null;
  return (
    <nav className={styles.pager} aria-label={t("flows.pages")}>
      <Button icon="left" disabled={list.previous === undefined} onClick={list.previous}>
        {t("flows.previous")}
      </Button>
      <Button disabled={list.next === undefined} onClick={list.next}>
        {t("flows.next")} <Icon name="right" size={14} />
      </Button>
    </nav>
  );
}

function ColumnsMenu({ columns }: { columns: readonly Column<Flow>[] }) {
  const t = useT();
  const state = useColumns("flows", columns);
  return (
    <Menu
      label={t("table.columns")}
      trigger={(props) => (
        <button type="button" className={buttonClass()} {...props}>
          <Icon name="columns" size={14} /> {t("table.columns")}
        </button>
      )}
    >
      {() =>
        columns.map((column) => (
          <MenuCheck key={column.id} checked={!state.hidden.has(column.id)} onChange={() => state.toggle(column.id)}>
            {column.header}
          </MenuCheck>
        ))
      }
    </Menu>
  );
}

function NoFlows({ filtered, search, elsewhere }: { filtered: boolean; search: AppSearch; elsewhere: boolean }) {
  const t = useT();
  const navigate = useNavigate();
  if (filtered && !elsewhere) {
    return (
      <Empty
        title={t("flows.noMatch")}
        action={
          <Button
            look="primary"
            onClick={() =>
              void navigate({ to: ".", search: (now: AppSearch) => ({ ...now, filter: undefined, status: undefined }) })
            }
          >
            {t("filter.clear")}
          </Button>
        }
      >
        <p>{t("flows.noMatchText")}</p>
      </Empty>
    );
  }
  return (
    <Empty title={t("flows.none")}>
      <p>{t(search.status === "ended" ? "flows.noneEnded" : "flows.noneText")}</p>
      <CaptureStopped />
    </Empty>
  );
}
