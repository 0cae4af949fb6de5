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
  try {
    noteServerTime((await queryClient.fetchQuery(statisticsQuery)).now);
  } finally {
    stream.start();
  }
}
