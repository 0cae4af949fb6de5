/** How the system is doing, once a second; the newest answer stays while the stream is broken. */
import { useQuery } from "@tanstack/react-query";
import { useEffect, useState } from "react";
import { statisticsQuery } from "~/api/queries";
import type { Statistics } from "~/api/schema";
import { stream } from "~/app/services";

export function useStatistics(): { data: Statistics | undefined; error: unknown } {
  const [data, setData] = useState<Statistics>();
  useEffect(
    () =>
      stream.subscribe({
        topic: { name: "statistics" },
        interval: 1000,
        onFrame: (frame) => {
          if (frame.data.name === "statistics") setData(frame.data.value);
        },
      }),
    [],
  );
  const answer = useQuery({ ...statisticsQuery, enabled: data === undefined });
  return { data: data ?? answer.data, error: data === undefined ? answer.error : null };
}
