/** Top talkers: once a second from the stream while live, one answer of the API for paused and historical times. */
import { useQuery } from "@tanstack/react-query";
import { useEffect, useState } from "react";
import { RequestError } from "~/api/problem";
import { type TopQuestion, topQuery } from "~/api/queries";
import type { Top } from "~/api/schema";
import { stream } from "~/app/services";
import type { Time } from "~/time/time";

export type TopAnswer = { data: Top | undefined; error: unknown; stale: boolean };

/** The stream looks back this far at most. */
const longestWindow = 3600;
const interval = 1000;

export function useTop(question: Omit<TopQuestion, "from" | "to">, time: Time): TopAnswer {
  const live = time.mode === "live" && time.seconds <= longestWindow;
  const key = JSON.stringify({ ...question, seconds: time.seconds });
  const [frame, setFrame] = useState<{ key: string; data?: Top; error?: RequestError }>();
  // biome-ignore lint/correctness/useExhaustiveDependencies: the key stands for question and window, by value
  useEffect(() => {
    if (!live) return;
    return stream.subscribe({
      topic: { name: "talkers", ...question, window: Math.round(time.seconds) },
      interval,
      onProblem: (problem) => setFrame({ key, error: new RequestError(problem) }),
      onFrame: ({ data }) => {
        if (data.name === "talkers") setFrame({ key, data: data.value });
      },
    });
  }, [live, key]);
  const answer = useQuery({ ...topQuery({ ...question, ...time.query }), enabled: !live });
  if (!live) return { data: answer.data ?? frame?.data, error: answer.error, stale: answer.isPlaceholderData };
  const current = frame?.key === key;
  return { data: frame?.data, error: current ? frame.error : undefined, stale: !current };
}
