/** What a file owns: shown everywhere with the file, and changed nowhere but there. */
import type { Page } from "playwright-core";
import { beforeAll, describe, expect, it } from "vitest";
import { inEveryLook } from "./support/looks";
import { skip, stage } from "./support/stage";

const says = "The file team.yaml owns it: change it there, and apply the file again.";
const paths = {
  networks: "/settings/workspace",
  ranges: "/settings/networks",
  views: "/history",
};

type Agents = { items: { id: string; name: string }[] };

/** Applies a file as `netwatch apply -f team.yaml` does, and gives the agent that it describes. */
function apply(page: Page): Promise<string> {
  return page.evaluate(async () => {
    const { items }: Agents = await (await fetch("/api/v1/agents")).json();
    const [agent] = items;
    if (agent === undefined) throw new Error("the server has no agent");
    const objects = {
      agents: [{ name: agent.name, labels: { site: "berlin" }, group: "Branch offices", location: { name: "Berlin" } }],
      address_ranges: [{ ranges: { "10.0.0.0/8": "Company", "2001:db8::/32": "Lab" } }],
      probe_networks: [{ only: ["10.0.0.0/8"], deny: ["10.9.0.0/16"] }],
      views: [{ page: "history", name: "Backups", query: "dims=source,port" }],
      probes: [{ name: "Office", enabled: false, spec: { kind: "ping", target: "10.0.0.1", interval: 60 } }],
    };
    const body = JSON.stringify({ version: 1, objects });
    const headers = { "content-type": "application/json" };
    const answer = await fetch("/api/v1/apply?source=team.yaml", { method: "POST", headers, body });
    if (!answer.ok) throw new Error(await answer.text());
    return agent.id;
  });
}

describe.skipIf(skip)("what a file owns", () => {
  const on = stage();
  let agent = "";

  beforeAll(async () => {
    if (skip) return;
    const { page } = await on.signedIn();
    agent = await apply(page);
    await page.close();
  }, 60_000);

  /** Opens what stands behind a button, in either language. */
  const open: Partial<Record<string, (page: Page) => Promise<unknown>>> = {
    views: async (page) => {
      await page.getByRole("button", { name: /^(Views|Ansichten)$/ }).click();
      await page.getByRole("menuitem", { name: /^(Manage views|Ansichten verwalten)/ }).click();
      await page.getByRole("dialog").waitFor();
    },
    agent: async (page) => {
      await page.getByRole("button", { name: /^(Edit|Ändern)$/ }).click();
      await page.getByRole("dialog").waitFor();
    },
  };

  it("is not edited by hand, and says so", async () => {
    const { page, faults } = await on.signedIn();
    await page.goto(`${on.server.url}${paths.networks}`);
    const card = page.getByRole("region", { name: "Networks that probes may measure" });
    await card.getByText(says).waitFor();
    const never = card.getByLabel("Never these networks");
    expect([await never.inputValue(), await never.isDisabled()]).toEqual(["10.9.0.0/16", true]);
    expect(await card.getByRole("button", { name: "Save" }).count()).toBe(0);

    await page.goto(`${on.server.url}${paths.ranges}`);
    await page.getByText(says).waitFor();
    await page.getByRole("table", { name: "Address ranges" }).getByText("Company").waitFor();
    expect(await page.getByRole("button", { name: "Import CSV …" }).count()).toBe(0);

    await page.goto(`${on.server.url}${paths.views}`);
    await page.getByRole("button", { name: "Views", exact: true }).click();
    await page.getByRole("menuitem", { name: "Manage views …" }).click();
    const row = page.getByRole("dialog", { name: "Saved views of this page" }).getByRole("listitem");
    await row.getByText(says).waitFor({ state: "attached" });
    expect(await row.getByRole("button").count()).toBe(0);

    await page.goto(`${on.server.url}/agents/${agent}`);
    await page.getByRole("button", { name: "Edit", exact: true }).click();
    const form = page.getByRole("dialog");
    await form.getByText(says).waitFor();
    for (const field of ["Name", "Group", "Labels"]) {
      expect({ field, off: await form.getByLabel(field, { exact: true }).isDisabled() }).toEqual({ field, off: true });
    }

    await page.goto(`${on.server.url}/probes`);
    await page.getByRole("link", { name: "Office" }).click();
    await page.getByText(says).waitFor({ state: "attached" });
    await page.getByRole("button", { name: "Run now" }).waitFor();
    for (const name of ["Resume", "Delete"]) expect(await page.getByRole("button", { name }).count()).toBe(0);
    expect(await page.getByRole("link", { name: "Edit", exact: true }).count()).toBe(0);
    expect(faults).toEqual([]);
  });

  it("is shown in every look", async () => {
    const pages = Object.entries({ ...paths, agent: `/agents/${agent}` });
    const named = Object.fromEntries(pages.map(([name, path]) => [`declared-${name}`, path]));
    await inEveryLook(on, named, async (page, name) => open[name.replace("declared-", "")]?.(page));
  });
});
