/** Who is signed in, where, and what they may do there; signing out and opening another workspace. */
import { useQuery } from "@tanstack/react-query";
import { api, done } from "~/api/client";
import { sessionQuery } from "~/api/queries";
import type { Session } from "~/api/schema";
import { queryClient, stream } from "~/app/services";

export function useSession(): Session | undefined {
  return useQuery(sessionQuery).data;
}

/** Whether whoever is signed in may do a thing in the open workspace. The server decides; this only leaves out what it would refuse. */
export function useMay(): (permission: string) => boolean {
  const permissions = useSession()?.permissions;
  return (permission) => permissions?.includes(permission) === true;
}

/** Questions that do not depend on who asks. */
const everybodys = new Set<unknown>(["session", "sign-in", "offer"]);
const predicate = ({ queryKey }: { queryKey: readonly unknown[] }) => !everybodys.has(queryKey[0]);

/** Takes over a session that has begun: everything that was known belongs to whoever was there before. */
export async function enter(): Promise<void> {
  stream.stop();
  queryClient.removeQueries({ type: "inactive", predicate });
  await queryClient.resetQueries({ queryKey: sessionQuery.queryKey });
  void queryClient.resetQueries({ type: "active", predicate });
  await queryClient.fetchQuery(sessionQuery);
}

export async function signOut(): Promise<void> {
  await done(api.DELETE("/api/v1/session"));
  stream.stop();
  queryClient.removeQueries({ predicate });
  await queryClient.resetQueries({ queryKey: sessionQuery.queryKey });
}

/** Everything is asked for anew there; the stream begins again, because its subscriptions belong to the workspace before. */
export async function openWorkspace(workspace: string): Promise<void> {
  await done(api.PUT("/api/v1/session/workspace", { body: { workspace } }));
  await enter();
}
