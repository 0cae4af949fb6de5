/** Opens the stream while somebody is signed in, and closes it when nobody is. */
import { useEffect } from "react";
import { statisticsQuery } from "~/api/queries";
import type { Session } from "~/api/schema";
import { queryClient, stream } from "~/app/services";
import { noteServerTime } from "~/time/clock";

export function useStream(signedOut: boolean, session: Session | undefined): void {
  useEffect(() => {
    if (signedOut) stream.stop();
    else if (session?.permissions.includes("traffic.read")) void start();
  }, [signedOut, session]);
}

/** Learns the server's time first: it is that of the packets when a capture file is read, and subscriptions begin relative to it. */
async function start(): Promise<void> {
  // Somebody may open another workspace meanwhile, or the server may be gone: the browser's clock has to do until it is known.
  const statistics = await queryClient.fetchQuery(statisticsQuery).catch(() => undefined);
  if (statistics !== undefined) noteServerTime(statistics.now);
  stream.start();
}
