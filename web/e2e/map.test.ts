/** The network map, with real traces through routers: what is drawn, what a person can ask of it, and a route that changes. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Page } from "playwright-core";
import { afterAll, describe, expect, it } from "vitest";
import { inEveryLook } from "./support/looks";
import { writeSystems } from "./support/mmdb";
import { createProbe, ran } from "./support/probes";
import { first, Routers, targets, ways } from "./support/routers";
import { until } from "./support/shell";
import { skip, stage } from "./support/stage";

const known = mkdtempSync(join(tmpdir(), "netwatch-e2e-"));
const systems = join(known, "asn.mmdb");

type Answer = { nodes: { id: string; kind: string; state: string }[]; traces: { target: string; time: string }[] };

describe.skipIf(skip)("the network map", () => {
  writeSystems(systems, [
    { network: "10.91.0.0/24", asn: 64_500, name: "Access Example" },
    { network: "10.91.2.0/23", asn: 64_501, name: "Transit Example" },
    { network: "10.92.0.0/24", asn: 64_502, name: "Hosting Example" },
  ]);
  let routers: Routers | undefined;
  const on = stage({ NETWATCH_PROBES__ALLOW: "10.0.0.0/8", NETWATCH_STORAGE__ASN_FILE: systems }, (lab) => {
    routers = new Routers(lab.inside);
    routers.open();
  });
  afterAll(() => {
    routers?.close();
    rmSync(known, { recursive: true, force: true });
  });
  const asked = (page: Page) =>
    page.evaluate(async () => (await fetch("/api/v1/network-map")).json() as Promise<Answer>);
  const node = (page: Page, id: string) => page.locator(`[data-node="${id}"]`);
  const trace = (page: Page, name: string, target: string, more: object = {}) =>
    createProbe(page, name, { kind: "mtr", target, interval: 10, count: 3, spacing: 0.1, timeout: 1, ...more });

  it("says what will be here while there is nothing", async () => {
    const { page, faults } = await on.signedIn();
    await on.goTo(page, "/probes");
    await page.getByRole("link", { name: "Network map" }).click();
    await page.getByText("No path has been traced yet").waitFor();
    expect(faults).toEqual([]);
  });

  it("draws agents, hops, silent hops, balanced paths and targets, each with its state", async () => {
    const { page, faults } = await on.signedIn();
    await on.goTo(page, "/probes");
    await trace(page, "Way to the shop", targets.plain);
    await trace(page, "Balanced", targets.balanced, { options: { protocol: "udp", paths: 8 } });
    await trace(page, "Behind the silent one", targets.silent);
    await trace(page, "Every third is lost", targets.lossy, { count: 9 });
    await trace(page, "Nobody there", targets.gone);
    for (const name of ["Way", "Balanced", "Behind", "Every", "Nobody"]) await ran(page, name, 1);
    await on.goTo(page, "/probes/map");
    const states = { plain: "up", balanced: "up", silent: "up", lossy: "degraded", gone: "down" } as const;
    for (const [target, state] of Object.entries(states)) {
      const id = `ip:${targets[target as keyof typeof targets]}`;
      await node(page, id).waitFor();
      expect([target, await node(page, id).getAttribute("data-kind")]).toEqual([target, "target"]);
      await until(`${target} to be ${state}`, async () => (await node(page, id).getAttribute("data-state")) === state);
    }
    const silent = `silent:ip:${first}>ip:${targets.silent}:1`;
    expect(await node(page, silent).getAttribute("data-kind")).toBe("silent");
    for (const way of Object.values(ways)) {
      expect(await node(page, `ip:${way}`).getAttribute("data-state")).toBe("up");
    }
    expect(await page.locator("[data-kind=agent]").count()).toBe(1);
    for (const asn of [64_500, 64_501, 64_502]) await page.locator(`[data-system="${asn}"]`).waitFor();
    await page.locator('[data-system="64501"] text').filter({ hasText: "AS64501 Transit Example" }).waitFor();
    expect(await page.locator("[data-edge=degraded]").count()).toBe(1);
    expect(faults).toEqual([]);
  });

  it("tells what a node is to pointer and keyboard, and opens it", async () => {
    const { page, faults } = await on.signedIn();
    await on.goTo(page, "/probes/map");
    await node(page, `ip:${first}`).hover();
    const tip = page.locator('[data-read="tip"]');
    await tip.getByText(first).first().waitFor();
    await tip.getByText(/Hop · Up · 0.* loss · RTT .* · 5 traces/).waitFor();
    await tip.getByText(/^Nobody there, Every third is lost, .* and 1 more$/).waitFor();
    await page.mouse.move(2, 2);
    const entry = page.locator("[data-node][tabindex='0']");
    await entry.focus();
    await page.keyboard.press("ArrowRight");
    expect(await page.evaluate(() => document.activeElement?.getAttribute("data-node"))).toBe(`ip:${first}`);
    await page.keyboard.press("Enter");
    const panel = page.getByRole("complementary", { name: `Node ${first}` });
    await panel.getByText("AS64500 Access Example").waitFor();
    expect(new URL(page.url()).searchParams.get("node")).toBe(`ip:${first}`);
    await panel
      .getByRole("link", { name: /^Traces/ })
      .first()
      .waitFor();
    await panel.getByRole("link", { name: "Balanced" }).click();
    await page.getByRole("heading", { name: "Balanced" }).waitFor();
    await page.getByRole("link", { name: "Network map" }).click();
    await page.getByRole("button", { name: "Only Balanced" }).waitFor();
    await until("only its nodes", async () => (await page.locator("[data-node]").count()) === 5);
    expect(faults).toEqual([]);
  });

  it("marks what a search fits, and has the same as a table", async () => {
    const { page, faults } = await on.signedIn();
    await on.goTo(page, "/probes/map");
    await page.getByRole("searchbox").fill("transit");
    await page.getByText("2 nodes fit").waitFor();
    expect(await page.locator("[data-found]").count()).toBe(2);
    await page.getByRole("button", { name: "Table" }).click();
    const table = page.getByRole("table", { name: "Network map" });
    await until("two rows", async () => (await table.locator("tbody tr").count()) === 2);
    await page.getByRole("searchbox").fill("");
    await until("all rows", async () => (await table.locator("tbody tr").count()) > 8);
    await table.getByRole("row", { name: new RegExp(targets.gone) }).click();
    await page
      .getByRole("complementary", { name: `Node ${targets.gone}` })
      .getByText("Nobody there")
      .waitFor();
    expect(faults).toEqual([]);
  });

  it("stays where it is while new traces come", async () => {
    const { page, faults } = await on.signedIn();
    await on.goTo(page, "/probes/map");
    await node(page, `ip:${first}`).waitFor();
    const places = () =>
      page
        .locator("[data-node]")
        .evaluateAll((nodes) =>
          nodes.map((one) => `${one.getAttribute("data-node")} ${one.getAttribute("transform")}`),
        );
    const [before, then] = [await places(), await asked(page)];
    const at = (answer: Answer) =>
      answer.traces
        .map(({ time }) => time)
        .toSorted()
        .at(-1) ?? "";
    await until("newer traces", async () => at(await asked(page)) > at(then), 60_000);
    // The answer after the next one was asked for when the newer traces were there, and the one before it is drawn.
    for (let i = 0; i < 2; i += 1) await page.waitForResponse((answer) => answer.url().includes("/network-map"));
    expect(await places()).toEqual(before);
    expect(faults).toEqual([]);
  });

  it("says when a route has changed: as an event, on the picture of the probe, and in the list of changes", async () => {
    const { page, faults } = await on.signedIn();
    await on.goTo(page, "/events");
    await ran(page, "Way", 2);
    routers?.lead("plain", "r3");
    await page.getByText(`changed behind ${first}`).waitFor({ timeout: 90_000 });
    await page.getByRole("link", { name: "Way to the shop" }).first().click();
    await page.getByRole("heading", { name: "Way to the shop" }).waitFor();
    await page.getByText("AS64500 Access Example → AS64501 Transit Example → AS64502 Hosting Example").waitFor();
    await page.getByRole("link", { name: "Measurements" }).click();
    await page
      .getByRole("region", { name: "Route changes" })
      .getByText(`it is ${ways.r3} > ${targets.plain}`)
      .waitFor();
    await page.locator("[data-note]").first().waitFor({ state: "attached" });
    expect(faults).toEqual([]);
  }, 150_000);

  it("has no barrier that axe finds, and fits wide and narrow, light and dark, in both languages", async () => {
    const pages = {
      map: "/probes/map",
      "map-node": `/probes/map?node=ip:${first}`,
      "map-search": "/probes/map?q=transit",
      "map-table": "/probes/map?view=table",
    };
    await inEveryLook(on, pages, (page) => page.locator("[data-node], main table tbody tr").first().waitFor());
  }, 240_000);
});
