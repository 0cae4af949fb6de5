/** The two things of which the app has one each: the cache of answers and the stream. Made here, started by `main`. */
import { QueryClient } from "@tanstack/react-query";
import { isTransient, RequestError } from "~/api/problem";
import { sessionQuery } from "~/api/queries";
import { type Socket, StreamClient } from "~/stream/client";

export const queryClient: QueryClient = new QueryClient({
  defaultOptions: {
    queries: {
      retry: (failures, error) => isTransient(error) && failures < 3,
      retryDelay: (failures) => Math.min(8000, 500 * 2 ** failures) * (0.5 + Math.random() / 2),
      refetchOnWindowFocus: false,
      staleTime: 1000,
      gcTime: 60_000,
    },
  },
});

/** An answer "sign-in needed" to any question means that the session has ended: ask once who we are, and the frame follows. */
queryClient.getQueryCache().subscribe(({ type, query }) => {
  const ended =
    type === "updated" && query.state.error instanceof RequestError && query.state.error.is("unauthenticated");
  if (ended && query.queryKey[0] !== "session") void queryClient.invalidateQueries({ queryKey: sessionQuery.queryKey });
});

export const stream: StreamClient = new StreamClient({
  open: () => new WebSocket(`${location.origin.replace(/^http/, "ws")}/api/v1/stream`) as Socket,
  now: () => Date.now(),
  random: () => Math.random(),
  after: (milliseconds, action) => {
    const timer = setTimeout(action, milliseconds);
    return () => clearTimeout(timer);
  },
  onRefused: () => void queryClient.invalidateQueries({ queryKey: sessionQuery.queryKey }),
});
