/** The probe of the address, with the description of its kind; its state is asked for again every few seconds. */
import { useQuery } from "@tanstack/react-query";
import { useParams } from "@tanstack/react-router";
import { kindsQuery, probeQuery, probesRefresh } from "~/api/probes";
import type { KindDescription, Probe } from "~/api/schema";
import type { Tagged } from "~/api/tagged";

type Found = {
  id: string;
  current: Tagged<Probe> | undefined;
  kind: KindDescription | undefined;
  error: unknown;
  retry: () => void;
};

export function useProbe(): Found {
  const { probe: id = "" } = useParams({ strict: false }) as { probe?: string };
  const { data: kinds, error: unknown } = useQuery(kindsQuery);
  const { data, error, refetch } = useQuery({
    ...probeQuery(id),
    refetchInterval: ({ state }) => (state.error === null ? probesRefresh : false),
  });
  const kind = kinds?.find((one) => one.kind === data?.value.spec.kind);
  return {
    id,
    current: data,
    kind,
    error: data === undefined ? (error ?? unknown) : null,
    retry: () => void refetch(),
  };
}
