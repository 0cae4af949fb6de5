/** History begins with a day: the live pages' default of minutes would be nearly empty. The URL then says so. */
import { useNavigate, useSearch } from "@tanstack/react-router";
import { useEffect } from "react";
import type { AppSearch } from "~/app/search";

const wanted = "-24h";

export function useLongRange(): void {
  const { from } = useSearch({ strict: false }) as AppSearch;
  const navigate = useNavigate();
  useEffect(() => {
    if (from !== undefined) return;
    void navigate({ to: ".", search: (now: AppSearch) => ({ ...now, from: wanted, to: undefined }), replace: true });
  }, [from, navigate]);
}
