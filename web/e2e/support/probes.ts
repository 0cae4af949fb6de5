/** Probes by the API, asked for by a page, which is in the namespace of the server. */
import type { Page } from "playwright-core";
import { until } from "./shell";

type Draft = { kind: string; target: string } & Record<string, unknown>;
type Status = { state: string; runs: unknown[]; response?: number };
export type Known = { id: string; name: string; enabled: boolean; spec: Draft; status: Status[] };

export function createProbe(page: Page, name: string, spec: Draft): Promise<string> {
  return page.evaluate(
    async (body) => {
      const headers = { "content-type": "application/json" };
      const answer = await fetch("/api/v1/probes", { method: "POST", headers, body: JSON.stringify(body) });
      if (!answer.ok) throw new Error(await answer.text());
      return (await answer.json()).id as string;
    },
    { name, spec },
  );
}

export function probeNamed(page: Page, name: string): Promise<Known | undefined> {
  return page.evaluate(async (name) => {
    const answer = await fetch(`/api/v1/probes?search=${encodeURIComponent(name)}`);
    return (await answer.json()).items[0] as Known | undefined;
  }, name);
}

/** Waits until the probe has run so often, and gives it as it then stands. */
export function ran(page: Page, name: string, times: number): Promise<Known> {
  return until(
    `${times} runs of ${name}`,
    async () => {
      const probe = await probeNamed(page, name);
      return (probe?.status[0]?.runs.length ?? 0) >= times ? probe : undefined;
    },
    60_000,
  );
}

/** Waits until the store has runs of a probe and their numbers, so that lists and pictures can show them. */
export function kept(page: Page, id: string, times = 1): Promise<boolean> {
  return until(
    `results of ${id} in the store`,
    () =>
      page.evaluate(
        async ({ id, times }) => {
          const results = await (await fetch(`/api/v1/probes/${id}/results?from=-1h`)).json();
          const query = new URLSearchParams({ metric: "probe_success", labels: `probe=${id}`, from: "-1h" });
          const chart = await (await fetch(`/api/v1/history/chart?${query}`)).json();
          if (results.items.length >= times && chart.lines.length > 0) return true;
          throw new Error(
            `${results.items.length} results, ${chart.lines.length} lines: ${JSON.stringify(results.items[0])}`,
          );
        },
        { id, times },
      ),
    60_000,
  );
}
