/** Agents, as a person adds, watches and removes them: a real agent enrols by the command that the dialog gives. */
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import type { Page } from "playwright-core";
import { describe, expect, it } from "vitest";
import { anAgent } from "./support/agent";
import { inEveryLook } from "./support/looks";
import { createProbe, kept, ran } from "./support/probes";
import { until } from "./support/shell";
import { skip, stage } from "./support/stage";

const folder = join(import.meta.dirname, "../test-results");

describe.skipIf(skip)("agents", () => {
  const on = stage({
    NETWATCH_PROBES__ALLOW: "10.0.0.0/8,127.0.0.0/8,::1",
    NETWATCH_AGENTS__LISTEN: "127.0.0.1:8471",
  });
  const name = "branch-rome";
  const start = anAgent();
  const row = (page: Page, of: string) =>
    page.getByRole("table", { name: "Agents" }).getByRole("row", { name: new RegExp(of) });

  it("begin with the server's own, reached by the keyboard", async () => {
    const { page, faults } = await on.signedIn();
    await on.goTo(page, "/");
    await page.keyboard.press("g");
    await page.keyboard.press("n");
    const own = page.getByRole("table", { name: "Agents" }).getByRole("row").nth(1);
    await own.getByText("Online", { exact: true }).waitFor();
    await own.focus();
    await page.keyboard.press("Enter");
    await page.getByText("Part of this server").waitFor();
    expect(await page.getByRole("button", { name: "Delete" }).count()).toBe(0);
    expect(faults).toEqual([]);
  });

  it("enrol by the command of the dialog, which says when they are here", async () => {
    const { page, faults } = await on.signedIn();
    await on.goTo(page, "/agents");
    await page.getByRole("button", { name: "Add an agent" }).click();
    const dialog = page.getByRole("dialog");
    await dialog.getByLabel("Name").fill(name);
    await dialog.getByLabel("Group").fill("Rome");
    await dialog.getByLabel("Labels").fill("site=rome, here");
    expect(await dialog.getByRole("button", { name: "Make the command" }).isDisabled()).toBe(true);
    await dialog.getByLabel("Labels").fill("site=rome\nrole=edge");
    await dialog.getByRole("button", { name: "Make the command" }).click();
    await dialog.getByText("Waiting for it").waitFor();
    await page.getByRole("region", { name: "Waiting for agents" }).getByText(name).waitFor();
    for (const way of ["Service", "Container", "Plain"]) {
      await dialog.getByRole("tab", { name: way }).click();
      expect(await dialog.getByLabel(way, { exact: true }).last().textContent()).toMatch(
        /netwatch agent .*--server 127\.0\.0\.1:8471 --token nwe1\./,
      );
    }
    const command = (await dialog.locator("output").textContent()) ?? "";
    mkdirSync(folder, { recursive: true });
    await page.screenshot({ path: join(folder, "agents-waiting.png") });
    const [, , ...words] = command.trim().split(" ");
    const agent = start(on.lab.inside, words);
    try {
      await dialog.getByText(`${name} is here`).waitFor({ timeout: 30_000 });
    } catch (cause) {
      throw new Error(`the agent did not come: ${agent.output()}`, { cause });
    }
    await page.screenshot({ path: join(folder, "agents-here.png") });
    await dialog.getByRole("link", { name: "Open" }).click();
    await page.getByRole("heading", { name }).waitFor();
    await page.getByRole("heading", { level: 1 }).locator("..").getByText("Online", { exact: true }).waitFor();
    await page.getByRole("region", { name: "About" }).getByText("site=rome").waitFor();
    await page.getByRole("table", { name: "Collectors" }).getByRole("row").nth(1).waitFor();
    expect(await page.getByText("Waiting for agents").count()).toBe(0);
    expect(faults).toEqual([]);
  }, 120_000);

  it("run the probes that choose them by label, and give their results", async () => {
    const { page, faults } = await on.signedIn();
    await on.goTo(page, "/probes/new");
    await page.getByLabel("Kind", { exact: true }).selectOption("ping");
    await page.getByLabel("Target", { exact: true }).fill(on.lab.addresses.b);
    await page.getByLabel("Name", { exact: true }).fill("Branch to office");
    await page.getByLabel("Interval, s").fill("2");
    await page.getByLabel("Packets or queries of a run").fill("3");
    await page.getByLabel("Time between them, s").fill("0.1");
    await page.getByLabel("Run by").selectOption("labels");
    await page.getByRole("button", { name: "Create probe" }).click();
    await page.getByText("Choose an agent or a label").waitFor();
    await page.getByLabel("Labels").fill("site=rome");
    await page.getByText(`Now 1: ${name}`).waitFor();
    await page.getByRole("button", { name: "Run now" }).click();
    await page.locator('[data-read="trial"]').getByText("Up", { exact: true }).waitFor();
    await page.getByRole("button", { name: "Create probe" }).click();
    await page.getByRole("heading", { name: "Branch to office" }).waitFor();
    const { id } = await ran(page, "Branch to office", 3);
    await kept(page, id, 3);
    await on.goTo(page, "/probes");
    await page
      .getByRole("table", { name: "Probes" })
      .getByRole("row", { name: /Branch to office/ })
      .getByText(name)
      .waitFor();
    await on.goTo(page, "/agents");
    await row(page, name).click();
    const probes = page.getByRole("table", { name: "Probes" });
    await probes
      .getByRole("row", { name: /Branch to office/ })
      .getByText("Up", { exact: true })
      .waitFor();
    await on.goTo(page, "/probes/voice");
    const way = page.getByRole("table", { name: "Voice" }).getByRole("row", { name: new RegExp(name) });
    await way.getByText("Excellent", { exact: true }).waitFor();
    await way.focus();
    await page.keyboard.press("Enter");
    await page.getByRole("complementary", { name: "Way of a call" }).getByText("An estimate:").waitFor();
    expect(faults).toEqual([]);
  }, 120_000);

  it("have no barrier that axe finds, and fit wide and narrow, light and dark, in both languages", async () => {
    const { page: first } = await on.signedIn();
    await on.goTo(first, "/agents");
    await row(first, name).click();
    await first.getByRole("heading", { name }).waitFor();
    const id = new URL(first.url()).pathname.split("/").at(-1) ?? "";
    const trace = await createProbe(first, "Way", { kind: "mtr", target: on.lab.addresses.b, interval: 10, count: 2 });
    await ran(first, "Way", 1);
    await kept(first, trace, 1);
    const pages = {
      agents: "/agents",
      agent: `/agents/${id}`,
      "probe-voice": "/probes/voice",
      "trace-paths": `/probes/${trace}/traces`,
    };
    await inEveryLook(on, pages);
  }, 300_000);

  it("are changed, sent away for a moment, disabled and deleted, each after a question", async () => {
    const { page, faults } = await on.signedIn();
    await on.goTo(page, "/agents");
    await row(page, name).click();
    await page.getByRole("button", { name: "Edit", exact: true }).click();
    await page.getByRole("dialog").getByLabel("Location").fill("Rack 4");
    await page.getByRole("dialog").getByLabel("Degrees north").fill("41.9");
    await page.getByRole("dialog").getByText("Both or none").first().waitFor();
    await page.getByRole("dialog").getByLabel("Degrees east").fill("12.5");
    await page.getByRole("dialog").getByRole("button", { name: "Save" }).click();
    await page.getByText("Rack 4 · 41.9, 12.5").waitFor();
    const confirm = async (button: string, title: RegExp) => {
      await page.getByRole("button", { name: button, exact: true }).click();
      await page.getByRole("dialog", { name: title }).getByRole("button", { name: button, exact: true }).click();
      await page.getByRole("dialog").waitFor({ state: "detached" });
    };
    const state = page.getByRole("heading", { level: 1 }).locator("..");
    await confirm("Kick", /^End the session of branch-rome/);
    await state.getByText("Online", { exact: true }).waitFor({ timeout: 60_000 });
    await confirm("Disable", /^Disable branch-rome/);
    await state.getByText("Disabled", { exact: true }).waitFor();
    await page.getByRole("button", { name: "Enable", exact: true }).click();
    await page.getByRole("button", { name: "Disable", exact: true }).waitFor();
    await confirm("Delete", /^Delete branch-rome/);
    await page.getByRole("heading", { name: "Agents", exact: true }).waitFor();
    await until("the agent gone", async () => (await row(page, name).count()) === 0);
    // A question that was under way is answered with 404; the browser logs it of its own accord.
    expect(faults.filter((fault) => !fault.includes("404"))).toEqual([]);
  }, 120_000);
});
