/** Uptime and maintenance: told for a period, kept apart, chosen, as a file. */
import { describe, expect, it } from "vitest";
import { createProbe, kept, probeNamed, ran } from "./support/probes";
import { until } from "./support/shell";
import { skip, stage } from "./support/stage";

const [answers, refuses] = ["Answers", "Refuses"];
const year = new Date().getFullYear();

describe.skipIf(skip)("uptime", () => {
  const on = stage({ NETWATCH_PROBES__ALLOW: "10.0.0.0/8,127.0.0.0/8,::1" });

  it("tells a probe that answers from one that does not, and lists what is down", async () => {
    const { page, faults } = await on.signedIn();
    await on.goTo(page, "/probes");
    const port = new URL(on.server.url).port;
    const up = await createProbe(page, answers, {
      kind: "tcp",
      target: `127.0.0.1:${port}`,
      interval: 1,
      count: 3,
      spacing: 0.1,
    });
    const down = await createProbe(page, refuses, { kind: "tcp", target: "127.0.0.1:9", interval: 1, count: 1 });
    await ran(page, answers, 8);
    await ran(page, refuses, 8);
    await kept(page, up, 5);
    await kept(page, down, 5);
    await page.getByRole("combobox", { name: "State", exact: true }).selectOption("down");
    const list = page.getByRole("table", { name: "Probes" });
    await until("one row", async () => (await list.locator("tbody tr").count()) === 1);
    await list.getByText(refuses, { exact: true }).waitFor();
    expect(new URL(page.url()).searchParams.get("standing")).toBe("down");
    await page.getByRole("button", { name: "Show all" }).click();
    await page.getByRole("combobox", { name: "Order", exact: true }).selectOption("state");
    await until("the worst first", async () => (await list.locator("tbody tr").first().innerText()).includes(refuses));

    await page.getByRole("link", { name: "Uptime", exact: true }).click();
    const table = page.getByRole("table", { name: "Uptime" });
    const row = (name: string) => table.getByRole("row", { name: new RegExp(name) });
    await row(answers).getByText("100 %", { exact: true }).waitFor();
    await row(refuses).getByText("0.00 %", { exact: true }).waitFor();
    await page.getByRole("combobox", { name: "Period", exact: true }).selectOption("24h");
    await until("a period in the link", async () => new URL(page.url()).searchParams.get("period") === "24h");
    const file = await page.getByRole("link", { name: "CSV" }).getAttribute("href");
    const text = await page.evaluate(async (path) => (await fetch(path)).text(), file ?? "");
    expect(text.split("\r\n")[0]).toMatch(/^probe,name,kind,target,zone,from,to,up,degraded,down/);
    expect(text).toContain(refuses);
    expect(faults).toEqual([]);
  });

  it("counts a window of maintenance apart", async () => {
    const { page, faults } = await on.signedIn();
    await on.goTo(page, "/probes/maintenance");
    await page.getByRole("button", { name: "New window" }).first().click();
    const dialog = page.getByRole("dialog", { name: "New window" });
    await dialog.getByLabel("Name", { exact: true }).fill("Patch day");
    await dialog.getByLabel("Begins", { exact: true }).fill(`${year}-01-01T00:00`);
    await dialog.getByLabel("Ends", { exact: true }).fill(`${year + 1}-01-01T00:00`);
    await dialog.getByLabel("By name", { exact: true }).selectOption({ label: refuses });
    await dialog.getByRole("button", { name: "Create window" }).click();
    const windows = page.getByRole("table", { name: "Maintenance" });
    await windows
      .getByRole("row", { name: /Patch day/ })
      .getByText("Now", { exact: true })
      .waitFor();
    await on.goTo(page, "/probes?standing=maintenance");
    await page
      .getByRole("row", { name: new RegExp(refuses) })
      .getByText("Maintenance", { exact: true })
      .waitFor();
    const probe = await probeNamed(page, refuses);
    await on.goTo(page, `/probes/${probe?.id}`);
    const numbers = page.locator("[data-read=uptime]");
    await numbers.getByText("Down in maintenance").waitFor();
    for (const picture of ["Smoke", "Heatmap", "Percentiles"]) {
      await page.getByRole("radio", { name: picture }).check();
    }
    expect(faults).toEqual([]);
  });

  it("draws the delays of a probe by size, with the numbers behind", async () => {
    const { page, faults } = await on.signedIn();
    await on.goTo(page, "/probes");
    const probe = await probeNamed(page, answers);
    await on.goTo(page, `/probes/${probe?.id}`);
    for (const picture of ["Heatmap", "Percentiles", "Smoke"]) {
      await page.getByRole("radio", { name: picture }).check();
      await page
        .getByRole("figure", { name: `${picture} of ${answers}` })
        .locator("svg[data-chart]")
        .waitFor();
    }
    await page.getByRole("button", { name: "Table" }).click();
    const table = page.getByRole("table", { name: `Smoke of ${answers}` });
    expect(await table.locator("tbody tr").count()).toBeGreaterThan(0);
    expect(faults).toEqual([]);
  });
});
