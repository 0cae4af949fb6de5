/**
 * The one table of the app: sticky header, units in the header, sortable, resizable and hideable columns, keyboard.
 *
 * One row is in the tab order; arrows, Home and End move, Enter opens. Columns are hidden by the reader, and by the table itself
 * when it is narrow, least important first. Widths and hidden columns are remembered under `name`.
 */
import { type KeyboardEvent, type ReactNode, useId, useRef, useState } from "react";
import { useT } from "~/i18n";
import { type ColumnState, useColumns } from "./column-state";
import styles from "./data-table.module.css";

export type Column<Row> = {
  id: string;
  header: string;
  unit?: string | undefined;
  /** Pixels that it wants, of the sum of what all want. */
  width?: number;
  right?: boolean;
  mono?: boolean;
  /** 1: always there; 2: not on a phone; 3: only when there is room. */
  priority?: 1 | 2 | 3;
  /** The word by which the server sorts. */
  sort?: string;
  /** Hidden until it is asked for. */
  optional?: boolean;
  cell: (row: Row) => ReactNode;
};

export type Sorting = { key: string; descending: boolean; onSort: (key: string) => void };

export type DataTableProps<Row> = {
  /** What the table is, for those who do not see it; also the name under which columns are remembered. */
  label: string;
  name: string;
  columns: readonly Column<Row>[];
  rows: readonly Row[];
  rowKey: (row: Row) => string;
  sorting?: Sorting;
  onOpen?: ((row: Row) => void) | undefined;
  selected?: string | undefined;
  /** "Other" and "total": after the rows, in their columns. */
  summary?: readonly { key: string; row: Row }[];
  /** The answer belongs to an older question. */
  dimmed?: boolean;
};

export function DataTable<Row>(props: DataTableProps<Row>) {
  const { columns, rows, rowKey, name, label, sorting, onOpen, selected, summary = [], dimmed = false } = props;
  const state = useColumns(name, columns);
  const shown = columns.filter((column) => !state.hidden.has(column.id));
  const [focused, setFocused] = useState<string>();
  const body = useRef<HTMLTableSectionElement>(null);
  const entry = rows.some((row) => rowKey(row) === focused) ? focused : rows[0] && rowKey(rows[0]);
  const onKeyDown = (event: KeyboardEvent<HTMLTableRowElement>, row: Row) => {
    if (event.target !== event.currentTarget) return;
    if (event.key === "Enter" || event.key === " ") onOpen?.(row);
    else if (!moveFocus(body.current, event)) return;
    event.preventDefault();
  };
  return (
    <div className={styles.frame}>
      <table aria-label={label} className={`${styles.table} ${dimmed ? styles.dimmed : ""}`} aria-busy={dimmed}>
        <Head columns={shown} state={state} sorting={sorting} />
        <tbody ref={body}>
          {rows.map((row) => {
            const key = rowKey(row);
            return (
              <tr
                key={key}
                className={`${onOpen ? styles.row : ""} ${key === selected ? styles.selected : ""}`}
                tabIndex={onOpen && key === entry ? 0 : -1}
                aria-selected={onOpen ? key === selected : undefined}
                onFocus={() => setFocused(key)}
                onClick={() => onOpen?.(row)}
                onKeyDown={(event) => onKeyDown(event, row)}
              >
                <Cells columns={shown} row={row} />
              </tr>
            );
          })}
        </tbody>
        {summary.length > 0 && (
          <tfoot>
            {summary.map(({ key, row }) => (
              <tr key={key} className={styles.summary}>
                <Cells columns={shown} row={row} />
              </tr>
            ))}
          </tfoot>
        )}
      </table>
    </div>
  );
}

function Cells<Row>({ columns, row }: { columns: readonly Column<Row>[]; row: Row }) {
  return columns.map((column) => (
    <td key={column.id} className={classesOf(column)}>
      {column.cell(row)}
    </td>
  ));
}

/** Pixels of a column that does not say how wide it is. */
const flexible = 190;

type HeadProps<Row> = { columns: readonly Column<Row>[]; state: ColumnState; sorting: Sorting | undefined };

function Head<Row>({ columns, state, sorting }: HeadProps<Row>) {
  const t = useT();
  const id = useId();
  // Shares of the whole: the table is never wider than its place, however many columns are chosen.
  const widthOf = (column: Column<Row>) => state.widths[column.id] ?? column.width ?? flexible;
  const whole = columns.reduce((sum, column) => sum + widthOf(column), 0);
  return (
    <thead>
      <tr>
        {columns.map((column) => {
          const sorted = sorting !== undefined && column.sort === sorting.key;
          const title = (
            <>
              {column.header}
              {column.unit !== undefined && <span className={styles.unit}>, {column.unit}</span>}
            </>
          );
          return (
            <th
              key={column.id}
              id={`${id}-${column.id}`}
              scope="col"
              className={classesOf({ ...column, mono: false })}
              style={{ width: `${(widthOf(column) / whole) * 100}%` }}
              aria-sort={sorted ? (sorting.descending ? "descending" : "ascending") : undefined}
            >
              {column.sort === undefined || sorting === undefined ? (
                title
              ) : (
                <button
                  type="button"
                  className={`${styles.headButton} ${sorted ? styles.sorted : ""}`}
                  onClick={() => sorting.onSort(column.sort ?? "")}
                  title={t("table.sort", { column: column.header })}
                >
                  <span className={styles.title}>{title}</span>
                  <span aria-hidden="true">{sorted ? (sorting.descending ? "↓" : "↑") : ""}</span>
                </button>
              )}
              <Grip onWidth={(width) => state.resize(column.id, width)} />
            </th>
          );
        })}
      </tr>
    </thead>
  );
}

/** The right edge of a header: drag to resize. */
function Grip({ onWidth }: { onWidth: (width: number) => void }) {
  return (
    <span
      className={styles.grip}
      aria-hidden="true"
      onPointerDown={(event) => {
        const grip = event.currentTarget;
        const head = grip.closest("th");
        if (head === null) return;
        event.preventDefault();
        grip.setPointerCapture(event.pointerId);
        const origin = head.getBoundingClientRect().width - event.clientX;
        grip.onpointermove = (move) => onWidth(Math.max(48, Math.round(origin + move.clientX)));
        grip.onpointerup = () => {
          grip.onpointermove = null;
        };
      }}
    />
  );
}

function classesOf<Row>(column: Column<Row>): string {
  const priority = column.priority === 3 ? styles.p3 : column.priority === 2 ? styles.p2 : undefined;
  return [column.right && styles.right, column.mono && styles.mono, priority].filter(Boolean).join(" ");
}

function moveFocus(body: HTMLElement | null, event: KeyboardEvent<HTMLElement>): boolean {
  const rows = [...(body?.children ?? [])] as HTMLElement[];
  const index = rows.indexOf(event.currentTarget);
  const next = { ArrowDown: index + 1, ArrowUp: index - 1, Home: 0, End: rows.length - 1 }[event.key];
  if (next === undefined) return false;
  rows[Math.max(0, Math.min(rows.length - 1, next))]?.focus();
  return true;
}
