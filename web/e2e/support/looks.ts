/** Pages in every look: light and dark, wide and narrow, in both languages. */
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import type { Page } from "playwright-core";
import { expect } from "vitest";
import { barriers } from "./axe";
import { until } from "./shell";
import type { Stage } from "./stage";

const folder = join(import.meta.dirname, "../../test-results");
const looks = [
  ["light", 1280, "en"],
  ["dark", 1280, "de"],
  ["light", 360, "de"],
  ["dark", 360, "en"],
] as const;

/**
 * Opens each page in each look and keeps a picture of it: axe finds no barrier, nothing is wider than the screen, nothing fails.
 * `pages` are paths by name; `ready` makes what is to be seen, after everything is loaded.
 */
export async function inEveryLook(
  on: Stage,
  pages: Readonly<Record<string, string>>,
  ready: (page: Page, name: string) => Promise<unknown> = async () => undefined,
): Promise<void> {
  mkdirSync(folder, { recursive: true });
  for (const [theme, width, language] of looks) {
    const viewport = { width, height: width < 500 ? 780 : 860 };
    const { page, faults } = await on.signedIn({ colorScheme: theme, viewport, locale: `${language}-GB` });
    for (const [name, path] of Object.entries(pages)) {
      await page.goto(`${on.server.url}${path}`);
      await page.getByRole("heading", { level: 1 }).waitFor();
      await until("everything loaded", async () => (await page.locator('main [class*="skeleton"]').count()) === 0);
      await ready(page, name);
      await page.screenshot({ path: join(folder, `${name}-${language}-${theme}-${width}.png`), fullPage: true });
      const sideways = await page.evaluate(() => Math.max(0, document.documentElement.scrollWidth - innerWidth));
      expect({ name, sideways, found: await barriers(page) }).toEqual({ name, sideways: 0, found: [] });
    }
    expect(faults).toEqual([]);
    await page.context().close();
  }
}
