/** What is kept and what addresses are called: changed in the web app, looked up in the API. */
import { readFileSync } from "node:fs";
import type { Page } from "playwright-core";
import { beforeAll, describe, expect, it } from "vitest";
import { until } from "./support/shell";
import { skip, stage } from "./support/stage";

const day = 86_400;

type Limit = { value: number; managed_by: string | null };
type Retention = { kinds: { kind: string; age_seconds: Limit; bytes: Limit }[]; warn_percent: Limit };
type Ranges = { items: { network: string; name: string }[] };

/** What the API answers to the session of the page. */
function answer<T>(page: Page, path: string): Promise<T> {
  return page.evaluate(async (asked) => {
    const answered = await fetch(asked);
    if (!answered.ok) throw new Error(`${asked}: ${answered.status}`);
    return answered.json();
  }, path);
}

describe.skipIf(skip)("storage", () => {
  const on = stage({ NETWATCH_STORAGE__EVENTS_AGE: "90d" });
  const retention = (page: Page) => answer<Retention>(page, "/api/v1/storage/retention");
  const ranges = async (page: Page) => (await answer<Ranges>(page, "/api/v1/address-ranges")).items;
  const ageOf = async (page: Page, kind: string) =>
    (await retention(page)).kinds.find((one) => one.kind === kind)?.age_seconds.value;

  beforeAll(async () => {
    if (skip) return;
    const { page } = await on.signedIn();
    await until("the telemetry store", async () => (await ageOf(page, "flows")) !== undefined);
    await page.close();
  }, 60_000);

  async function form(page: Page) {
    await page.goto(`${on.server.url}/storage`);
    await page.getByRole("button", { name: "Change retention …" }).click();
    const dialog = page.getByRole("dialog", { name: "Change retention" });
    await dialog.waitFor();
    return dialog;
  }

  it("changes how long flows are kept, and says what cannot be changed here", async () => {
    const { page, faults } = await on.signedIn();
    const dialog = await form(page);
    const events = dialog.getByLabel("Events: Kept, age (days)");
    expect([await events.isDisabled(), await events.inputValue()]).toEqual([true, "90"]);
    await dialog.getByText("Set in variable NETWATCH_STORAGE__EVENTS_AGE: change it there.").waitFor();
    const flows = dialog.getByLabel("Flow records: Kept, age (days)");
    expect(await flows.inputValue()).toBe("30");
    const save = dialog.getByRole("button", { name: "Save" });
    await flows.fill("0");
    await dialog.getByText(/^Write a number from/).waitFor();
    expect(await save.isDisabled()).toBe(true);
    await flows.fill("45");
    await dialog.getByLabel("Warn below free space (%)").fill("25");
    await save.click();
    await dialog.waitFor({ state: "detached" });

    const now = await retention(page);
    expect(await ageOf(page, "flows")).toBe(45 * day);
    expect(await ageOf(page, "samples")).toBe(14 * day);
    expect(now.warn_percent.value).toBe(25);
    const row = page.getByRole("table", { name: "Use and retention" }).getByRole("row", { name: /^Flow records/ });
    await row.getByText("45 d").waitFor();
    await page.reload();
    await row.getByText("45 d").waitFor();
    await page.goto(`${on.server.url}/settings/audit?scope=site`);
    await page.getByRole("table", { name: "Audit log" }).getByText("Settings of the server changed").first().waitFor();
    expect(faults).toEqual([]);
  });

  it("does not overwrite what somebody else changed meanwhile", async () => {
    const { page } = await on.signedIn();
    const dialog = await form(page);
    await page.evaluate(async () => {
      const path = "/api/v1/storage/retention";
      const tag = (await fetch(path)).headers.get("etag") ?? "";
      const body = JSON.stringify({ kinds: [{ kind: "flows", age_seconds: 60 * 86_400, bytes: null }] });
      await fetch(path, { method: "PUT", body, headers: { "content-type": "application/json", "if-match": tag } });
    });
    await dialog.getByLabel("Flow records: Kept, age (days)").fill("10");
    await dialog.getByRole("button", { name: "Save" }).click();
    await dialog.getByRole("alert").waitFor();
    expect(await dialog.getByRole("alert").innerText()).toContain("changed");
    expect(await ageOf(page, "flows")).toBe(60 * day);
  });

  it("takes names of address ranges from a CSV file, all or none, and gives them back", async () => {
    const { page, faults } = await on.signedIn();
    await page.goto(`${on.server.url}/settings/networks`);
    await page.getByRole("heading", { name: "No address range has a name" }).waitFor();
    const choose = async (text: string) => {
      const file = { name: "networks.csv", mimeType: "text/csv", buffer: Buffer.from(text) };
      await page.getByLabel("CSV file with address ranges").setInputFiles(file);
    };
    await choose("10.77.0.0/24,Lab\nnot a network,Nowhere\n");
    const alert = page.getByRole("alert");
    await alert.waitFor();
    expect(await alert.innerText()).toContain("line 2");
    expect(await ranges(page)).toEqual([]);

    await choose('network,name\r\n10.77.0.0/24,"Lab, downstairs"\r\n2001:db8::/32,Documents\r\n');
    await page.getByText("2 ranges were imported.").waitFor();
    await page.getByRole("table", { name: "Address ranges" }).getByText("Lab, downstairs").waitFor();
    expect(await ranges(page)).toEqual([
      { network: "2001:db8::/32", name: "Documents" },
      { network: "10.77.0.0/24", name: "Lab, downstairs" },
    ]);
    const waiting = page.waitForEvent("download");
    await page.getByRole("link", { name: "Export CSV" }).click();
    const saved = readFileSync(await (await waiting).path(), "utf8");
    expect(saved).toContain('10.77.0.0/24,"Lab, downstairs"');

    await choose("10.77.0.0/24,Lab\n");
    await page.getByText("1 range was imported.").waitFor();
    expect(await ranges(page)).toEqual([{ network: "10.77.0.0/24", name: "Lab" }]);
    // The browser notes the refused file by itself.
    expect(faults.filter((fault) => !/status of 400/.test(fault))).toEqual([]);
  });
});
