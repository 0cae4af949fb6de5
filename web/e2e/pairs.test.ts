/** Two agents on two hosts: one is found by name as the target of the other, and measured at once, before any probe is kept. */
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import type { Page } from "playwright-core";
import { describe, expect, it } from "vitest";
import { anAgent } from "./support/agent";
import { inEveryLook } from "./support/looks";
import { until } from "./support/shell";
import { skip, stage } from "./support/stage";

const folder = join(import.meta.dirname, "../test-results");

describe.skipIf(skip)("agents that measure each other", () => {
  const on = stage({ NETWATCH_PROBES__ALLOW: "10.0.0.0/8", NETWATCH_AGENTS__LISTEN: "10.77.0.1:8471" });
  const name = "branch-oslo";
  const start = anAgent();
  const online = (page: Page) =>
    page.evaluate(async (name) => {
      const { items } = await (await fetch("/api/v1/agents?state=online")).json();
      return (items as { name: string }[]).some((one) => one.name === name);
    }, name);

  it("are found by name, and measured at both ends", async () => {
    const { page, faults } = await on.signedIn();
    await on.goTo(page, "/agents");
    const secret = await page.evaluate(async (name) => {
      const body = JSON.stringify({ name, labels: { site: "oslo" } });
      const headers = { "content-type": "application/json" };
      return (await (await fetch("/api/v1/agent-tokens", { method: "POST", headers, body })).json()).secret as string;
    }, name);
    start(on.lab.beyond, ["--server", `${on.lab.addresses.a}:8471`, "--token", secret]);
    await until("the agent online", () => online(page));

    await on.goTo(page, "/probes/new");
    await page.getByLabel("Kind", { exact: true }).selectOption("agent");
    const target = page.getByRole("combobox", { name: "Target" });
    await target.fill("site=oslo");
    await page.getByRole("option", { name: /branch-oslo/ }).waitFor();
    mkdirSync(folder, { recursive: true });
    await page.screenshot({ path: join(folder, "pairs-choice.png") });
    await target.press("Enter");
    expect(await target.inputValue()).toBe(name);
    await page.getByRole("button", { name: "Run now" }).click();
    const trial = page.locator('[data-read="trial"]');
    await trial.getByRole("heading", { name: /^simulation .* → branch-oslo$/ }).waitFor({ timeout: 60_000 });
    await page.screenshot({ path: join(folder, "pairs-run.png"), fullPage: true });
    const parts = await trial.getByRole("heading", { level: 4 }).allTextContents();
    expect(parts.map((part) => part.split(" ")[0])).toEqual([
      ...["mtr", "ping", "simulation"],
      ...["agent", "mtr", "ping", "simulation"],
    ]);
    expect(await trial.getByText("Up", { exact: true }).count()).toBe(parts.length + 1);
    expect(faults).toEqual([]);
  }, 150_000);

  it("serve throughput tests, and are chosen for them in the same way", async () => {
    const { page, faults } = await on.signedIn();
    await on.goTo(page, "/probes/new");
    await page.getByLabel("Kind", { exact: true }).selectOption("throughput");
    const against = page.getByLabel("Measured against");
    await against.selectOption("address");
    await page.getByLabel("Target", { exact: true }).fill("iperf.example:5201");
    await against.selectOption("agent");
    const target = page.getByRole("combobox", { name: "Target" });
    expect(await target.inputValue()).toBe("");
    await target.click();
    await page.getByRole("option", { name: /branch-oslo/ }).click();
    await page.getByLabel("Seconds", { exact: true }).fill("1");
    await page.getByRole("button", { name: "Run now" }).click();
    await page.locator('[data-read="trial"]').getByText("Up", { exact: true }).waitFor({ timeout: 60_000 });
    await page.screenshot({ path: join(folder, "pairs-throughput.png") });
    await page.getByRole("button", { name: "Create probe" }).click();
    await page.getByRole("heading", { name: `throughput ${name}` }).waitFor();
    await on.goTo(page, "/probes");
    const row = page.getByRole("table", { name: "Probes" }).getByRole("row", { name: /throughput/ });
    await row.getByText(name, { exact: true }).waitFor();
    expect(faults).toEqual([]);
  }, 120_000);

  it("have forms without barriers, wide and narrow, light and dark, in both languages", async () => {
    const { page } = await on.signedIn();
    await on.goTo(page, "/probes");
    await page
      .getByRole("table", { name: "Probes" })
      .getByRole("row", { name: /throughput/ })
      .click();
    await page.getByRole("heading", { name: `throughput ${name}` }).waitFor();
    const path = new URL(page.url()).pathname;
    await inEveryLook(on, { "probe-pair": path, "probe-pair-form": `${path}/edit` });
  }, 200_000);
});
