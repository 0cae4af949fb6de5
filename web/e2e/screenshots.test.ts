/** A picture of every page, light and dark, wide and narrow: kept as artefacts, and none scrolls sideways. */
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import type { Page } from "playwright-core";
import { beforeAll, describe, expect, it } from "vitest";
import { chart, drawn } from "./support/chart";
import { until } from "./support/shell";
import { skip, stage } from "./support/stage";

const folder = join(import.meta.dirname, "../test-results");
const widths = [1280, 360] as const;
const themes = ["light", "dark"] as const;

/** Seconds of traffic before the pictures are taken: few for a test, a full minute for the README. */
const seconds = Number(process.env.NETWATCH_SCREENSHOT_SECONDS ?? 5);

describe.skipIf(skip)("screenshots", () => {
  const on = stage();
  beforeAll(() => new Promise((resolve) => setTimeout(resolve, seconds * 1000)));
  mkdirSync(folder, { recursive: true });

  const variants = themes.flatMap((theme) => widths.map((width) => ({ theme, width })));
  it.each(variants)(
    "$theme at $width pixels",
    async ({ theme, width }) => {
      const { page, faults } = await on.signedIn({
        colorScheme: theme,
        viewport: { width, height: width < 500 ? 780 : 860 },
      });
      await page.goto(on.server.url);
      const flow = await until("a flow with a verdict", () => flowNamed(page, "slow.example.org"));
      const pages = {
        overview: "/?from=-1m",
        traffic: "/traffic?from=-1m",
        "traffic-table": "/traffic?from=-1m&view=table",
        "traffic-panel": `/traffic?from=-1m&flow=${flow}`,
        flow: `/flows/${flow}`,
        host: `/hosts/${on.lab.addresses.b}?from=-1m`,
        history: "/history?from=-1h",
        storage: "/storage",
        events: "/events",
        health: "/health",
        settings: "/settings",
        "settings-account": "/settings/account",
        "settings-workspace": "/settings/workspace",
        "settings-members": "/settings/members",
        "settings-roles": "/settings/roles",
        "settings-tokens": "/settings/tokens",
        "settings-audit": "/settings/audit",
        "settings-users": "/settings/users",
        "settings-workspaces": "/settings/workspaces",
      };
      for (const [name, path] of Object.entries(pages)) {
        await page.goto(`${on.server.url}${path}`);
        await page.getByRole("heading", { level: 1 }).waitFor();
        if (["overview", "traffic", "host"].includes(name)) await drawn(chart(page, /Rates (in and out|of)/).first());
        await until("everything loaded", async () => {
          const waiting = page.locator('main [class*="skeleton"], main header:has-text("Loading")');
          return (await waiting.count()) === 0 || undefined;
        });
        await page.screenshot({ path: join(folder, `${name}-${theme}-${width}.png`) });
        const sideways = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
        expect({ name, sideways: Math.max(0, sideways) }).toEqual({ name, sideways: 0 });
      }
      expect(faults).toEqual([]);
    },
    120_000,
  );
});

/** The id of a flow by its name, asked for by the page, which is in the namespace of the server. */
function flowNamed(page: Page, name: string): Promise<string | undefined> {
  return page.evaluate(async (filter) => {
    const answer = await fetch(`/api/v1/flows?limit=1&filter=${encodeURIComponent(filter)}`);
    return (await answer.json()).items[0]?.id as string | undefined;
  }, `name = "${name}"`);
}
