/** The main job, as a person does it: from the printed link to the answer. */
import { describe, expect, it } from "vitest";
import { chart, drawn, moment } from "./support/chart";
import { until } from "./support/shell";
import { skip, stage } from "./support/stage";

describe.skipIf(skip)("journeys", () => {
  const on = stage();

  it("goes from the first start to the first chart, and the code is gone from the address", async () => {
    const { page, faults } = await on.signedIn();
    await drawn(chart(page));
    expect(page.url()).toBe(`${on.server.url}/`);
    await page.goBack().catch(() => null);
    expect(page.url()).not.toContain("#");
    expect(faults).toEqual([]);
  });

  it("says that a used link is used, and how to get a new one", async () => {
    const watched = await on.browser.newContext();
    const page = await watched.newPage();
    await page.goto(on.link);
    await page.getByRole("heading", { name: "This link cannot be used" }).waitFor();
    expect(await page.getByText("netwatch up", { exact: false }).first().isVisible()).toBe(true);
    expect(page.url()).not.toContain("#");
    await page.goto(on.server.url);
    await page.getByRole("heading", { name: "Sign in" }).waitFor();
    await watched.close();
  });

  it("filters by typing, excludes by clicking, and keeps it all in the address", async () => {
    const { page, faults } = await on.signedIn();
    await page.goto(`${on.server.url}/traffic`);
    await drawn(chart(page));
    const field = page.getByRole("combobox", { name: "Filter" });
    await field.fill("dpor");
    await page.getByRole("option", { name: /^dport/ }).click();
    await field.pressSequentially("= 80");
    await field.press("Enter");
    const search = page.getByRole("search", { name: "Filter" });
    await search.getByText("dport = 80", { exact: true }).waitFor();
    const flows = page.getByRole("table", { name: "Flows" });
    await until("only flows to port 80", async () => {
      const cells = await flows.locator("tbody tr td:nth-child(2)").allInnerTexts();
      return (cells.length > 0 && cells.every((text) => text.endsWith(":80"))) || undefined;
    });
    await flows.getByRole("button", { name: "www.example.org" }).first().click();
    await page.getByRole("menuitem", { name: "Without this" }).click();
    await search.getByText('name != "www.example.org"', { exact: true }).waitFor();
    expect(new URL(page.url()).searchParams.get("filter")).toBe('dport = 80 and name != "www.example.org"');
    await until("no such name", async () => {
      const names = await flows.locator("tbody tr").allInnerTexts();
      return (names.length > 0 && names.every((text) => !text.includes("www.example.org"))) || undefined;
    });
    await page.reload();
    await search.getByText('name != "www.example.org"', { exact: true }).waitFor();
    await page.getByRole("button", { name: "Remove dport = 80" }).click();
    await until("one term", async () => (await search.locator("code").count()) === 1 || undefined);
    expect(faults).toEqual([]);
  });

  it("marks the place of a fault in a filter", async () => {
    const { page, faults } = await on.signedIn();
    await page.goto(`${on.server.url}/traffic?filter=${encodeURIComponent("port = 80 and prot = 443")}`);
    const alert = page.getByRole("search", { name: "Filter" }).getByRole("alert");
    await alert.waitFor();
    expect(await alert.locator("mark").innerText()).toContain("prot");
    await page.getByRole("button", { name: "Clear filter" }).click();
    await drawn(chart(page));
    expect(faults.filter((fault) => !fault.includes("400"))).toEqual([]);
  });

  it("drills down from talker to host, and from row to panel to the page of a flow with its verdict", async () => {
    const { page, faults } = await on.signedIn();
    await page.goto(`${on.server.url}/traffic?filter=${encodeURIComponent('name = "slow.example.org"')}`);
    const flows = page.getByRole("table", { name: "Flows" });
    await flows.locator("tbody tr td:last-child").first().click();
    const panel = page.getByRole("complementary", { name: "Flow" });
    await panel.getByText("TCP quality").waitFor();
    await panel.getByRole("link", { name: "Open page" }).click();
    await page.waitForURL(/\/flows\/[0-9a-f]{16}/);
    await page.getByText("The application", { exact: true }).waitFor();
    expect(await page.getByText(/The server took .* to answer/).isVisible()).toBe(true);
    await drawn(chart(page, "Rates of this flow"));
    await page.getByRole("button", { name: on.lab.addresses.b }).click();
    await page.getByRole("menuitem", { name: "Open host" }).click();
    await page.getByRole("heading", { name: on.lab.addresses.b }).waitFor();
    for (const title of ["Names", "Peers", "Ports", "Applications", "Flows"]) {
      await page.getByRole("region", { name: title, exact: true }).waitFor();
    }
    await drawn(chart(page, /Rates of/));
    expect(faults).toEqual([]);
  });

  it("holds still while paused, and goes on", async () => {
    const { page, faults } = await on.signedIn();
    await page.goto(`${on.server.url}/traffic`);
    const figure = chart(page);
    await drawn(figure);
    await page.keyboard.press("Space");
    await page.getByRole("button", { name: /Paused/ }).waitFor();
    const held = await moment(figure);
    await new Promise((resolve) => setTimeout(resolve, 2500));
    expect(await moment(figure)).toBe(held);
    await page.getByRole("button", { name: /Paused/ }).click();
    await until("newer figures", async () => (await moment(figure)) > held || undefined);
    expect(faults).toEqual([]);
  });

  it("zooms by dragging and steps back by double-click", async () => {
    const { page, faults } = await on.signedIn();
    await page.goto(`${on.server.url}/traffic?from=-1m`);
    const figure = chart(page);
    await drawn(figure);
    const box = await figure.locator("canvas").boundingBox();
    if (box === null) throw new Error("the chart has no size");
    const y = box.y + box.height / 2;
    await page.mouse.move(box.x + box.width * 0.7, y);
    await page.mouse.down();
    await page.mouse.move(box.x + box.width * 0.9, y, { steps: 5 });
    await page.mouse.up();
    await page.getByRole("button", { name: /Historical/ }).waitFor();
    expect(new URL(page.url()).searchParams.get("from")).toMatch(/^\d{4}-/);
    await drawn(figure);
    await page.mouse.dblclick(box.x + box.width / 2, y);
    await page.getByRole("button", { name: /Live/ }).waitFor();
    expect(new URL(page.url()).searchParams.get("from")).toBe("-1m");
    expect(faults).toEqual([]);
  });

  it("changes the theme and the language without loading anything anew", async () => {
    const { page, faults } = await on.signedIn({ colorScheme: "light" });
    await page.goto(`${on.server.url}/settings`);
    const background = () => page.evaluate(() => getComputedStyle(document.documentElement).backgroundColor);
    const before = await background();
    await page.evaluate(() => Object.assign(window, { mark: true }));
    await page.getByRole("radio", { name: "Dark" }).check();
    expect(await background()).not.toBe(before);
    await page.getByRole("radio", { name: "Deutsch" }).check();
    await page.getByRole("heading", { name: "Einstellungen" }).waitFor();
    expect(await page.evaluate(() => "mark" in window)).toBe(true);
    await page.reload();
    await page.getByRole("heading", { name: "Einstellungen" }).waitFor();
    expect(await background()).not.toBe(before);
    expect(faults).toEqual([]);
  });

  it("says when the server is gone, and goes on by itself when it is back", async () => {
    const { page } = await on.signedIn();
    await page.goto(`${on.server.url}/traffic`);
    const figure = chart(page);
    await drawn(figure);
    await on.server.stop();
    await page.getByRole("button", { name: /No connection/ }).waitFor();
    await page.getByText("The connection to the server is broken", { exact: false }).waitFor();
    expect(await figure.isVisible()).toBe(true);
    await on.server.start();
    await page.getByRole("button", { name: /Live/ }).waitFor({ timeout: 30_000 });
    await until("figures from after the restart", async () => {
      const last = await moment(figure);
      await new Promise((resolve) => setTimeout(resolve, 1500));
      return (await moment(figure)) > last || undefined;
    });
  });
});
