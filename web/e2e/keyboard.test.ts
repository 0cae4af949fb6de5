/** The whole way without a mouse. */
import { describe, expect, it } from "vitest";
import { chart, drawn } from "./support/chart";
import { until } from "./support/shell";
import { skip, stage } from "./support/stage";

describe.skipIf(skip)("keyboard", () => {
  const on = stage();

  it("goes from the overview to a flow and back by keys alone", async () => {
    const { page, faults } = await on.signedIn();
    await drawn(chart(page));
    await page.keyboard.press("Control+k");
    await page.keyboard.type("traf");
    await page.keyboard.press("Enter");
    // The address changes before the page is loaded: until then the chart of the overview is still there.
    await drawn(chart(page, /Rates in and out, by/));

    await page.keyboard.press("/");
    await page.keyboard.type("protocol = tcp");
    await page.keyboard.press("Enter");
    await page.getByText("protocol = tcp", { exact: true }).waitFor();

    const flows = page.getByRole("table", { name: "Flows" });
    await flows.locator("tbody tr").nth(2).waitFor();
    await flows.locator('tbody tr[tabindex="0"]').focus();
    await page.keyboard.press("ArrowDown");
    expect(
      await flows
        .locator("tbody tr")
        .nth(1)
        .evaluate((row) => row === document.activeElement),
    ).toBe(true);
    await page.keyboard.press("Enter");
    const panel = page.getByRole("complementary", { name: "Flow" });
    await panel.waitFor();
    await panel.getByText("Who and what").waitFor();
    await page.keyboard.press("Escape");
    await until("the panel is closed", async () => (await panel.count()) === 0 || undefined);

    await page.keyboard.press("?");
    await page.getByRole("dialog", { name: "Keyboard shortcuts" }).waitFor();
    await page.keyboard.press("Escape");
    await page.keyboard.press("g");
    await page.keyboard.press("h");
    await page.getByRole("heading", { name: "Health" }).waitFor();
    expect(faults).toEqual([]);
  });

  it("skips to the content with the first key, and shows where the focus is", async () => {
    const { page } = await on.signedIn();
    await page.goto(`${on.server.url}/traffic`);
    await page.getByRole("heading", { name: "Traffic" }).waitFor();
    await page.keyboard.press("Tab");
    const skipLink = page.getByRole("link", { name: "Skip to content" });
    expect(
      await skipLink.evaluate((link) => link === document.activeElement && link.getBoundingClientRect().top >= 0),
    ).toBe(true);
    await page.keyboard.press("Tab");
    const outline = await page.evaluate(() => getComputedStyle(document.activeElement ?? document.body).outlineStyle);
    expect(outline).not.toBe("none");
  });

  it("opens the host of a typed address", async () => {
    const { page } = await on.signedIn();
    await page.goto(on.server.url);
    await page.getByRole("heading", { name: "Overview" }).waitFor();
    await page.keyboard.press("Control+k");
    await page.keyboard.type(on.lab.addresses.b6);
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { name: on.lab.addresses.b6 }).waitFor();
    expect(decodeURIComponent(new URL(page.url()).pathname)).toBe(`/hosts/${on.lab.addresses.b6}`);
  });
});
