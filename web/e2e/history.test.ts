/** What was captured, over days: the explorer, series, storage, the new stage of health, and ranges of time. */
import { readFileSync } from "node:fs";
import type { Locator, Page } from "playwright-core";
import { beforeAll, describe, expect, it } from "vitest";
import { until } from "./support/shell";
import { skip, stage } from "./support/stage";

describe.skipIf(skip)("history", () => {
  // Without a packet for so long a question over UDP has ended, and is written.
  const on = stage({ NETWATCH_FLOWS__UDP_TIMEOUT: "5s" });

  // Records wait for up to twenty seconds until they are written.
  beforeAll(async () => {
    if (skip) return;
    const { page } = await on.signedIn();
    await until("tcp and udp in the store", () => stored(page), 100_000);
    await page.close();
  }, 120_000);

  it("shows what was captured, and the table adds up to the chart's total", async () => {
    const { page, faults } = await on.signedIn();
    await page.goto(`${on.server.url}/history`);
    await picture(page).waitFor();
    expect(new URL(page.url()).searchParams.get("from")).toBe("-24h");
    // A range that stands still, so that nothing changes between two looks.
    const [from, to] = [new Date(Date.now() - 7_200_000), new Date()].map((at) => at.toISOString());
    await page.goto(`${on.server.url}/history?from=${from}&to=${to}`);
    await picture(page).waitFor();
    const table = page.getByRole("table", { name: "Groups of the chart" });
    const sums = await numbers(table.locator("tbody [data-total], tfoot tr:not(:last-child) [data-total]"));
    const [total] = await numbers(table.locator("tfoot tr:last-child [data-total]"));
    expect(sums.length).toBeGreaterThan(1);
    expect(sums.reduce((sum, value) => sum + value, 0)).toBe(total);
    expect(await numbers(page.locator('header [data-read="total"]'))).toEqual([total]);
    expect(await page.locator('[data-read="resolution"]').innerText()).toMatch(/rollup|records themselves/);
    // Netwatch did not run two hours ago: that is hatched, not drawn as nothing carried.
    expect(await page.locator("[data-gap]").count()).toBeGreaterThan(0);
    expect(faults).toEqual([]);
  });

  it("takes dimensions and kinds of chart, and keeps them in the address", async () => {
    const { page, faults } = await on.signedIn();
    await page.goto(`${on.server.url}/history`);
    await picture(page).waitFor();
    const add = page.getByLabel("Add dimension");
    await add.selectOption({ label: "Source" });
    await add.selectOption({ label: "Destination" });
    await page.getByRole("columnheader", { name: "Destination" }).waitFor();
    for (const kind of ["Lines", "Grid", "Heatmap", "Sankey"]) {
      await page.getByRole("radio", { name: kind }).check();
      await page.locator("svg[data-chart]").first().waitFor();
    }
    await page.locator('[data-node="10.77.0.1"]').first().waitFor();
    const words = new URL(page.url()).searchParams;
    expect([words.get("dims"), words.get("chart")]).toEqual(["application,source,destination", "sankey"]);
    await page.reload();
    await page.locator('[data-node="10.77.0.1"]').first().waitFor();
    await page.getByRole("button", { name: "Remove Application" }).click();
    await until("one dimension less", () => words.get("dims") !== new URL(page.url()).searchParams.get("dims"));
    expect(new URL(page.url()).searchParams.get("dims")).toBe("source,destination");
    expect(faults).toEqual([]);
  });

  it("filters by a click, mirrors directions, and compares with the period before", async () => {
    const { page, faults } = await on.signedIn();
    await page.goto(`${on.server.url}/history?dims=protocol`);
    const table = page.getByRole("table", { name: "Groups of the chart" });
    await table.getByRole("button", { name: "udp" }).click();
    await page.getByRole("menuitem", { name: "Without this" }).click();
    await until("no udp", async () => (await table.getByRole("button", { name: "udp" }).count()) === 0);
    expect(await table.locator("tbody tr").count()).toBeGreaterThan(0);
    await page.getByRole("button", { name: "In and out" }).click();
    await page.getByText("in above, out below").waitFor();
    await page.getByRole("button", { name: "Period before", exact: true }).click();
    await page.getByRole("columnheader", { name: "Period before" }).waitFor();
    expect(faults).toEqual([]);
  });

  it("gives the answer as CSV and as JSON", async () => {
    const { page, faults } = await on.signedIn();
    await page.goto(`${on.server.url}/history`);
    await picture(page).waitFor();
    const csv = await download(page, "Save the answer as CSV");
    expect(csv.name).toBe("history.csv");
    expect(csv.text.split("\n").length).toBeGreaterThan(2);
    const json = await download(page, "Save the answer as JSON");
    const answer = JSON.parse(json.text) as { by: string[]; groups: unknown[] };
    expect(answer.by).toEqual(["application"]);
    expect(answer.groups.length).toBeGreaterThan(0);
    const svg = await download(page, "Save the chart as SVG");
    expect(svg.text).toMatch(/^<svg /);
    expect(svg.text).not.toContain("var(");
    expect(faults).toEqual([]);
  });

  it("keeps views under names, shares them, opens them by their address, and finds them by typing", async () => {
    const { page, faults } = await on.signedIn();
    await page.goto(`${on.server.url}/history?dims=source,port&chart=lines&from=-6h`);
    await picture(page).waitFor();
    const views = page.getByRole("button", { name: "Views", exact: true });
    await views.click();
    await page.getByText("No view of this page is saved yet.").waitFor();
    await page.getByRole("menuitem", { name: "Save this view …" }).click();
    const save = page.getByRole("dialog", { name: "Save this view" });
    await save.getByLabel("Name").fill("Night traffic");
    await save.getByLabel(/^Shared with all members/).check();
    await save.getByRole("button", { name: "Save" }).click();
    await save.waitFor({ state: "detached" });

    await page.goto(`${on.server.url}/history`);
    await picture(page).waitFor();
    await views.click();
    await page.getByRole("menuitem", { name: "Night traffic" }).click();
    await until("the view", () => new URL(page.url()).searchParams.get("dims") === "source,port");
    expect(new URL(page.url()).searchParams.get("chart")).toBe("lines");
    expect(new URL(page.url()).searchParams.get("from")).toBe("-6h");

    await views.click();
    await page.getByRole("menuitem", { name: "Manage views …" }).click();
    const manage = page.getByRole("dialog", { name: "Saved views of this page" });
    await manage.getByText("shared, by ada").waitFor();
    const address = await manage.getByRole("link", { name: "Night traffic" }).getAttribute("href");
    await manage.getByRole("button", { name: "Rename" }).click();
    const rename = page.getByRole("dialog", { name: "Rename Night traffic" });
    await rename.getByLabel("Name").fill("Day traffic");
    await rename.getByRole("button", { name: "Save" }).click();
    await manage.getByRole("link", { name: "Day traffic" }).waitFor();
    await manage.getByRole("button", { name: "Share no more" }).click();
    await manage.getByText("shared, by ada").waitFor({ state: "detached" });

    expect(address).toMatch(/^\/views\/[0-9a-f]{32}$/);
    await page.goto(`${on.server.url}${address}`);
    await until("its page", () => new URL(page.url()).pathname === "/history");
    expect(new URL(page.url()).searchParams.get("dims")).toBe("source,port");

    await page.goto(`${on.server.url}/`);
    await page.getByRole("heading", { name: "Overview" }).waitFor();
    await page.keyboard.press("Control+k");
    await page.getByRole("combobox", { name: "Search pages, hosts and actions" }).fill("day traf");
    await page.getByRole("option", { name: /Day traffic/ }).click();
    await picture(page).waitFor();

    await views.click();
    await page.getByRole("menuitem", { name: "Manage views …" }).click();
    await manage.getByRole("button", { name: "Delete" }).click();
    await page.getByRole("dialog", { name: "Delete Day traffic?" }).getByRole("button", { name: "Delete" }).click();
    await manage.getByText("No view of this page is saved yet.").waitFor();
    expect(faults).toEqual([]);
    // What is gone is said: the browser logs the answer 404 of its own accord.
    await page.goto(`${on.server.url}${address}`);
    await page.getByText("no such view").waitFor();
  });

  it("keeps the filter of Traffic and the metric of Series", async () => {
    const { page, faults } = await on.signedIn();
    for (const [path, name] of [
      ["/traffic?filter=port+%3D+53&by=host", "Names by host"],
      ["/series?metric=netwatch_none&aggregate=max", "Greatest"],
    ] as const) {
      await page.goto(`${on.server.url}${path}`);
      await page.getByRole("button", { name: "Views", exact: true }).click();
      await page.getByRole("menuitem", { name: "Save this view …" }).click();
      await page.getByRole("dialog").getByLabel("Name").fill(name);
      await page.getByRole("dialog").getByRole("button", { name: "Save" }).click();
      await page.getByRole("dialog").waitFor({ state: "detached" });
      await page.goto(`${on.server.url}${new URL(path, on.server.url).pathname}`);
      await page.getByRole("button", { name: "Views", exact: true }).click();
      await page.getByRole("menuitem", { name }).click();
      const wanted = new URL(path, on.server.url).searchParams;
      await until(name, () => [...wanted].every(([key, value]) => new URL(page.url()).searchParams.get(key) === value));
    }
    expect(faults).toEqual([]);
  });

  it("finds series by name and labels", async () => {
    const { page, faults } = await on.signedIn();
    await page.goto(`${on.server.url}/series`);
    const field = page.getByRole("combobox", { name: "Metric" });
    await field.click();
    const first = page.getByRole("listbox", { name: "Metric" }).getByRole("option").first();
    const name = await first.innerText();
    await first.click();
    await page.getByRole("figure", { name }).waitFor();
    expect(new URL(page.url()).searchParams.get("metric")).toBe(name);
    await page.getByLabel("Steps show the").selectOption({ label: "greatest" });
    await until("the greatest", async () => (await page.locator('[data-read="aggregate"]').innerText()) === "greatest");
    expect(await page.getByRole("table", { name: "Series of the chart" }).locator("tbody tr").count()).toBeGreaterThan(
      0,
    );
    expect(faults).toEqual([]);
  });

  it("says what is stored, for how long, and when the disk would be full", async () => {
    const { page, faults } = await on.signedIn();
    await page.goto(`${on.server.url}/health`);
    await page.getByRole("heading", { name: "Stored" }).waitFor();
    await page.getByRole("link", { name: "Storage" }).click();
    const table = page.getByRole("table", { name: "Use and retention" });
    await table.waitFor();
    expect(await table.getByRole("row", { name: /^Flow records/ }).innerText()).toContain("30 d");
    expect(await page.locator('[data-read="forecast"]').innerText()).not.toBe("");
    await page.getByRole("img", { name: /^Of the disk/ }).waitFor();
    expect(faults).toEqual([]);
  });

  it("takes ranges of the calendar, and moves and pastes them by keys", async () => {
    const { page, faults } = await on.signedIn();
    await page.goto(`${on.server.url}/history`);
    await picture(page).waitFor();
    await page.getByRole("button", { name: /^Range of time/ }).click();
    const dialog = page.getByRole("dialog", { name: "Range of time" });
    await dialog.getByRole("textbox").fill("now-1d/d to now");
    await dialog.getByRole("textbox").press("Enter");
    const range = () => new URL(page.url()).searchParams;
    await until("the range in the address", () => range().get("from") === "now-1d/d");
    await page.getByRole("heading", { level: 1 }).click();
    await page.keyboard.press("t");
    await page.keyboard.press("c");
    await page.keyboard.press("t");
    await page.keyboard.press("ArrowLeft");
    await until("an earlier range", () => Date.parse(range().get("to") ?? "") < Date.now() - 3_600_000);
    await page.keyboard.press("t");
    await page.keyboard.press("v");
    await until("the pasted range", () => range().get("from") === "now-1d/d");
    expect(faults).toEqual([]);
  });
});

function picture(page: Page): Locator {
  return page.getByRole("figure", { name: /^Traffic by/ });
}

/** Asked for by the page, which is in the namespace of the server. */
function stored(page: Page): Promise<boolean> {
  return page.evaluate(async () => {
    const answer = await fetch("/api/v1/history/explore?from=-1h&by=protocol");
    return answer.ok && (await answer.json()).groups.length > 1;
  });
}

async function numbers(cells: Locator): Promise<number[]> {
  return (await cells.evaluateAll((all) => all.map((one) => one.getAttribute("data-total")))).map(Number);
}

async function download(page: Page, name: string): Promise<{ name: string; text: string }> {
  const waiting = page.waitForEvent("download");
  await page.getByRole(name.startsWith("Save the chart") ? "button" : "link", { name }).click();
  const file = await waiting;
  return { name: file.suggestedFilename(), text: readFileSync(await file.path(), "utf8") };
}
