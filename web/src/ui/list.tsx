/** A list of the server as a table with its pages: while it loads, when it fails, when it is empty, and when it is there. */
import type { UseQueryResult } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { DataTable, type DataTableProps } from "./data-table";
import { ProblemBox, Skeleton } from "./feedback";
import { Pages, type Paging } from "./pages";

type ListProps<Row> = Omit<DataTableProps<Row>, "rows" | "dimmed" | "summary" | "sorting"> & {
  query: UseQueryResult<{ items: readonly Row[]; next_cursor?: string | null }>;
  paging?: Paging;
  /** Stands there when there is nothing in it. */
  empty: ReactNode;
};

export function List<Row>({ query, paging, empty, ...table }: ListProps<Row>) {
  const { data, error, refetch, isPlaceholderData } = query;
  if (data === undefined) {
    if (error === null) return <Skeleton height={160} />;
    return <ProblemBox error={error} subject={table.label} onRetry={() => void refetch()} />;
  }
  return (
    <>
      {error !== null && <ProblemBox error={error} subject={table.label} onRetry={() => void refetch()} />}
      {data.items.length === 0 ? empty : <DataTable {...table} rows={data.items} dimmed={isPlaceholderData} />}
      {paging !== undefined && <Pages paging={paging} next={data.next_cursor} />}
    </>
  );
}
