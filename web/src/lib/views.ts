/** What of a page is kept in a saved view, and the way back. */
import { type AppSearch, parseSearch, stringifySearch, validateSearch } from "~/app/search";

/** Pages that have saved views, by their word in the contract. */
const pages = { traffic: "/traffic", history: "/history", series: "/series" } as const;

export type ViewPage = keyof typeof pages;

/** The query that is kept: everything but the panels that happen to be open. */
export function keptOf(search: AppSearch): string {
  const { flow: _flow, talker: _talker, ...kept } = search;
  return stringifySearch(kept).replace(/^\?/, "");
}

/** Where a saved view leads; a page that this version does not know leads to Traffic. */
export function targetOf(view: { page: string; query: string }) {
  const to = pages[view.page as ViewPage] ?? pages.traffic;
  return { to, search: validateSearch(parseSearch(view.query)) };
}
