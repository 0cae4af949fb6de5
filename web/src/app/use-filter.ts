/** The filter of the page, which is in the URL: its terms, and the ways to change them. */
import { useQuery } from "@tanstack/react-query";
import { useNavigate, useSearch } from "@tanstack/react-router";
import { useMemo } from "react";
import { filterQuery } from "~/api/queries";
import type { FilterCheck } from "~/api/schema";
import { exclude, include, joined } from "~/lib/filter";
import type { AppSearch } from "./search";

export type PageFilter = {
  text: string | undefined;
  terms: readonly string[];
  /** The server's verdict on the text; absent until it has come. */
  check: FilterCheck | undefined;
  include: (term: string) => void;
  exclude: (term: string) => void;
  remove: (term: string) => void;
  set: (text: string | undefined) => void;
};

const none: readonly string[] = [];

export function useFilter(): PageFilter {
  const { filter: text } = useSearch({ strict: false }) as AppSearch;
  const navigate = useNavigate();
  const { data } = useQuery({ ...filterQuery(text ?? ""), enabled: text !== undefined });
  const check = text === undefined ? undefined : data;
  const terms = check === undefined ? none : check.terms;
  return useMemo(() => {
    // Until the server has parsed the text, the text itself is the only term.
    const known = terms.length > 0 || text === undefined ? terms : [text];
    const set = (filter: string | undefined) =>
      void navigate({
        to: ".",
        search: (previous: AppSearch) => ({ ...previous, filter: filter || undefined, flow: undefined }),
      });
    return {
      text,
      terms: known,
      check,
      include: (term) => set(joined(include(known, term))),
      exclude: (term) => set(joined(exclude(known, term))),
      remove: (term) => set(joined(known.filter((one) => one !== term))),
      set,
    };
  }, [text, terms, check, navigate]);
}
