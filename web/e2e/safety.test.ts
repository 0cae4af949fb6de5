/** Names from the network are text, and nothing on any page fails or breaks the policy. */
import type { Page } from "playwright-core";
import { describe, expect, it } from "vitest";
import { barriers } from "./support/axe";
import { chart, drawn } from "./support/chart";
import { until } from "./support/shell";
import { skip, stage } from "./support/stage";

const pages = [
  "/",
  "/traffic",
  "/probes",
  "/probes/new",
  "/probes/matrix",
  "/events",
  "/health",
  "/settings",
  "/settings/account",
  "/settings/workspace",
  "/settings/members",
  "/settings/roles",
  "/settings/tokens",
  "/settings/audit",
  "/settings/users",
  "/settings/workspaces",
] as const;

describe.skipIf(skip)("safety", () => {
  const on = stage();

  it("shows hostile names as text", async () => {
    const { page, faults } = await on.signedIn();
    await page.goto(`${on.server.url}/traffic?tab=name`);
    const talkers = page.getByRole("table", { name: "Talkers" });
    for (const name of [
      "<img src=x onerror=alert(1)>",
      "<b>bold</b>.example",
      "$(reboot).example",
      String.raw`right\u{202e}to-left.example`,
    ]) {
      await until(
        `the name ${name}`,
        async () => (await talkers.getByText(name, { exact: true }).count()) > 0 || undefined,
      );
    }
    expect(await page.locator("main img, main b:not([data-read])").count()).toBe(0);
    await talkers.getByRole("button", { name: "<img src=x onerror=alert(1)>" }).click();
    await page.getByRole("menuitem", { name: "Only this" }).click();
    const flows = page.getByRole("table", { name: "Flows" });
    await flows.getByRole("button", { name: "<img src=x onerror=alert(1)>" }).first().waitFor();
    await page.goto(
      `${on.server.url}/traffic?filter=${encodeURIComponent(String.raw`name = "right\u{202e}to-left.example"`)}`,
    );
    await flows.locator("tbody tr").first().waitFor();
    expect(faults).toEqual([]);
  });

  it("survives having everything clicked", async () => {
    const { page, faults } = await on.signedIn();
    for (const path of [...pages, `/hosts/${on.lab.addresses.b}`])
      await clickEverything(page, `${on.server.url}${path}`);
    expect(faults).toEqual([]);
  }, 240_000);

  it.each(["light", "dark"] as const)("has no barrier that axe finds, %s", async (colorScheme) => {
    const { page } = await on.signedIn({ colorScheme });
    for (const path of [...pages, `/hosts/${on.lab.addresses.b}`]) {
      await page.goto(`${on.server.url}${path}`);
      await page.getByRole("heading", { level: 1 }).waitFor();
      if (path === "/" || path === "/traffic") await drawn(chart(page));
      expect({ path, found: await barriers(page) }).toEqual({ path, found: [] });
    }
  });
});

/** Presses every button, tab and choice of a page once; what leads away is left out, what opens is closed. */
async function clickEverything(page: Page, url: string): Promise<void> {
  await page.goto(url);
  await page.getByRole("heading", { level: 1 }).waitFor();
  const main = page.locator("main");
  const controls = main.locator(
    "button:visible, [role=tab]:visible, input[type=radio], summary:visible, th button:visible",
  );
  const total = Math.min(80, await controls.count());
  for (let i = 0; i < total; i += 1) {
    const control = controls.nth(i);
    if ((await control.count()) === 0) break;
    const name = `${await control.getAttribute("aria-label").catch(() => "")} ${await control.innerText().catch(() => "")}`;
    // In either language: pressing everything chooses both.
    if (/sign out|abmelden/i.test(name)) continue;
    await control.click({ timeout: 1000, force: true }).catch(() => undefined);
    await page.keyboard.press("Escape");
    if (new URL(page.url()).pathname !== new URL(url).pathname) await page.goto(url);
  }
}
