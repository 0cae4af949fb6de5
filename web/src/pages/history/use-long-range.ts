/** History begins with a day: the live pages' default of minutes would be nearly empty. The URL then says so. */
import { useNavigate, useSearch } from "@tanstack/react-router";
import { useEffect } from "react";
import type { AppSearch } from "~/app/search";

export function useLongRange(wanted = "-24h"): void {
  const { from } = useSearch({ strict: false }) as AppSearch;
  const navigate = useNavigate();
  useEffect(() => {
    if (from !== undefined) return;
    void navigate({ to: ".", search: (now: AppSearch) => ({ ...now, from: wanted, to: undefined }), replace: true });
  }, [from, wanted, navigate]);
}
