/** A capture file instead of an interface: no right is needed, and "now" is the end of the file. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { launch, open } from "./support/browser";
import { writeCapture } from "./support/capture-file";
import { chart, drawn } from "./support/chart";
import { setUp } from "./support/people";
import { Server } from "./support/server";

const seconds = 900;

describe("a capture file", () => {
  const folder = mkdtempSync(join(tmpdir(), "netwatch-e2e-"));
  const file = join(folder, "quarter.pcap");
  const server = new Server({ port: 8474, args: ["--read", file] });
  let browser: Browser;
  let link: string;
  beforeAll(async () => {
    writeCapture(file, { from: Date.UTC(2023, 10, 14, 22, 0, 0), seconds });
    link = await server.start();
    browser = await launch();
  });
  afterAll(async () => {
    await browser?.close();
    await server.dispose();
    rmSync(folder, { recursive: true, force: true });
  });

  it("shows its last minutes as now, and all of it on request", async () => {
    const { page, faults } = await open(browser, { timezoneId: "UTC" });
    await setUp(page, link);
    const figure = chart(page);
    await drawn(figure);
    // The newest full second: the last packet may be in the one that was not finished.
    expect(await figure.locator('[data-read="moment"]').innerText()).toMatch(/^22:14:5[89]$/);
    expect(Number(await figure.getAttribute("data-points"))).toBeGreaterThan(290);
    await page.getByRole("button", { name: "Show this time" }).click();
    await page.getByRole("button", { name: /Historical/ }).waitFor();
    await drawn(figure);
    await page.getByRole("link", { name: "Health" }).first().click();
    await page.getByText("The capture file was read to its end").waitFor();
    expect(faults).toEqual([]);
  });
});
