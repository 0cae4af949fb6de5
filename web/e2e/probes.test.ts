/** Probes, as a person makes, watches, changes and removes them; against the server itself and the other end of the lab. */
import { describe, expect, it } from "vitest";
import { inEveryLook } from "./support/looks";
import { createProbe, kept, probeNamed, ran } from "./support/probes";
import { until } from "./support/shell";
import { skip, stage } from "./support/stage";

describe.skipIf(skip)("probes", () => {
  const on = stage({ NETWATCH_PROBES__ALLOW: "10.0.0.0/8,127.0.0.0/8,::1" });
  const name = "Own health";

  it("begin with one thing to do, and the form of a kind comes from the server", async () => {
    const { page, faults } = await on.signedIn();
    await on.goTo(page, "/");
    await page.keyboard.press("g");
    await page.keyboard.press("p");
    await page.getByText("Nothing is measured yet").waitFor();
    await page.getByRole("link", { name: "New probe" }).first().click();
    await page.getByLabel("Kind", { exact: true }).selectOption("http");
    await page.getByLabel("Expect status").waitFor();
    await page.getByLabel("Follow redirects").waitFor();
    await page.getByLabel("Kind", { exact: true }).selectOption("mtr");
    expect(await page.getByLabel("Max hops", { exact: true }).inputValue()).toBe("30");
    await page.getByLabel("Target", { exact: true }).fill("192.0.2.1");
    await page.getByLabel("Max hops", { exact: true }).fill("99");
    await page.getByRole("button", { name: "Create probe" }).click();
    await page.getByText("Must be a whole number from 1 to 64.").waitFor();
    expect(await page.getByLabel("Max hops", { exact: true }).getAttribute("aria-invalid")).toBe("true");
    expect(faults).toEqual([]);
  });

  it("say which key to set when somebody adds an agent to a server that listens for none", async () => {
    const { page } = await on.signedIn();
    await on.goTo(page, "/agents");
    await page.getByRole("button", { name: "Add an agent" }).click();
    await page.getByRole("button", { name: "Make the command" }).click();
    const said = page.getByRole("dialog").getByRole("alert");
    await said.getByText("agents.listen", { exact: true }).waitFor();
    await said.getByText("--agents-listen").waitFor();
    await page.keyboard.press("Escape");
    await page.getByRole("dialog").waitFor({ state: "detached" });
  });

  it("shows what the server refuses at its field", async () => {
    const { page } = await on.signedIn();
    await on.goTo(page, "/probes/new");
    await page.getByLabel("Kind", { exact: true }).selectOption("http");
    await page.getByLabel("Target", { exact: true }).fill("ftp://a.example/");
    await page.getByRole("button", { name: "Create probe" }).click();
    await page.getByText(/is not a URL that begins with/).waitFor();
    expect(await page.getByLabel("Target", { exact: true }).getAttribute("aria-invalid")).toBe("true");
    await page.getByLabel("Target", { exact: true }).fill(`${on.server.url}/livez`);
    expect(await page.getByLabel("Target", { exact: true }).getAttribute("aria-invalid")).toBe(null);
  });

  it("measure no more networks than the workspace says, and a target outside is refused at its field", async () => {
    const { page } = await on.signedIn();
    await on.goTo(page, "/settings/workspace");
    const card = page.getByRole("region", { name: "Networks that probes may measure" });
    await card.getByText("public addresses, 10.0.0.0/8, 127.0.0.0/8, ::1").waitFor();
    const never = card.getByLabel("Never these networks");
    const save = card.getByRole("button", { name: "Save" });
    await never.fill("198.51.100.0/24\n10/8");
    await save.click();
    await card.getByText(/`10\/8` is not a range of addresses/).waitFor();
    expect(await never.getAttribute("aria-invalid")).toBe("true");
    await never.fill("198.51.100.0/24");
    await save.click();
    await until(
      "it is saved",
      async () => (await save.isDisabled()) && (await never.inputValue()) === "198.51.100.0/24",
    );
    await inEveryLook(on, { "probe-networks": "/settings/workspace" });

    await on.goTo(page, "/probes/new");
    await page.getByLabel("Kind", { exact: true }).selectOption("ping");
    await page.getByLabel("Target", { exact: true }).fill("198.51.100.7");
    await page.getByRole("button", { name: "Create probe" }).click();
    await page.getByText(/198\.51\.100\.7 lies in 198\.51\.100\.0\/24/).waitFor();
    expect(await page.getByLabel("Target", { exact: true }).getAttribute("aria-invalid")).toBe("true");

    await on.goTo(page, "/settings/workspace");
    await never.fill("");
    await save.click();
    await until("it is saved", () => save.isDisabled());
  });

  it("are tried before they are saved, and run at their interval", async () => {
    const { page, faults } = await on.signedIn();
    await on.goTo(page, "/probes/new");
    await page.getByLabel("Kind", { exact: true }).selectOption("http");
    await page.getByLabel("Target", { exact: true }).fill(`${on.server.url}/livez`);
    await page.getByLabel("Interval, s").fill("1");
    await page.getByRole("button", { name: "Run now" }).click();
    const trial = page.locator('[data-read="trial"]');
    await trial.getByText("Up", { exact: true }).waitFor();
    await trial.getByRole("table", { name: "Requests" }).getByText("200 · HTTP/1.1").waitFor();
    expect((await probeNamed(page, name)) === undefined).toBe(true);
    await page.getByLabel("Name", { exact: true }).fill(name);
    await page.getByRole("button", { name: "Create probe" }).click();
    await page.getByRole("heading", { name }).waitFor();
    const { id } = await ran(page, name, 3);
    expect(page.url()).toContain(`/probes/${id}`);
    await page.getByRole("navigation", { name: "Where you are" }).getByRole("link", { name: "Probes" }).click();
    const row = page.getByRole("table", { name: "Probes" }).getByRole("row", { name: new RegExp(name) });
    await row.getByText("Up", { exact: true }).waitFor();
    await row.getByRole("img", { name: /^Last runs: \d+ up, 0 lossy, 0 down/ }).waitFor();
    expect(await row.locator("i[data-state=up]").first().getAttribute("title")).toMatch(/ · Up · .*s/);
    await page.getByRole("searchbox").fill("no such probe");
    await page
      .getByText("Nothing fits the search")
      .or(page.getByRole("heading", { level: 2 }))
      .first()
      .waitFor();
    await until("no row", async () => (await row.count()) === 0);
    expect(faults).toEqual([]);
  });

  it("show their numbers over time, with the table behind, and each run in full", async () => {
    const { page, faults } = await on.signedIn();
    await on.goTo(page, "/probes");
    const probe = await ran(page, name, 3);
    await kept(page, probe.id, 3);
    await page.getByRole("link", { name }).click();
    await page
      .getByRole("figure", { name: `Phases of ${name}` })
      .locator("svg[data-chart]")
      .waitFor();
    await page.getByRole("radio", { name: "Smoke" }).check();
    const smoke = page.getByRole("figure", { name: `Smoke of ${name}` });
    await smoke.locator("path[data-colour='var(--ok)']").first().waitFor({ state: "attached" });
    await page.getByRole("button", { name: "Table" }).click();
    const table = page.getByRole("table", { name: `Smoke of ${name}` });
    expect(await table.locator("tbody tr").count()).toBeGreaterThan(0);
    expect(new URL(page.url()).searchParams.get("picture")).toBe("smoke");
    await page.getByRole("button", { name: "Table" }).click();
    const runs = page.getByRole("list", { name: "Runs" });
    const first = runs.getByRole("button").last();
    await first.focus();
    await page.keyboard.press("Enter");
    await runs.getByRole("table", { name: "Requests" }).getByText(`${on.server.url}/livez`).waitFor();
    expect(await page.locator("[aria-expanded=true]").count()).toBeGreaterThan(0);
    expect(faults).toEqual([]);
  });

  it("go on with new values when they are changed, and stand still when they are paused", async () => {
    const { page, faults } = await on.signedIn();
    const changed = "Own readiness";
    await on.goTo(page, "/probes");
    const { id } = await ran(page, name, 1);
    await on.goTo(page, `/probes/${id}`);
    await page.getByRole("link", { name: "Edit", exact: true }).click();
    expect(await page.getByLabel("Target", { exact: true }).inputValue()).toBe(`${on.server.url}/livez`);
    await page.getByLabel("Target", { exact: true }).fill(`${on.server.url}/readyz`);
    await page.getByLabel("Name", { exact: true }).fill(changed);
    await page.getByRole("button", { name: "Save" }).click();
    await page.getByRole("heading", { name: changed }).waitFor();
    expect((await probeNamed(page, changed))?.spec.target).toBe(`${on.server.url}/readyz`);
    await page.getByRole("button", { name: "Pause", exact: true }).click();
    await page.getByRole("heading", { level: 1 }).locator("..").getByText("Paused", { exact: true }).waitFor();
    expect((await probeNamed(page, changed))?.enabled).toBe(false);
    await page.getByRole("button", { name: "Resume", exact: true }).click();
    await until("a probe that runs", async () => (await probeNamed(page, changed))?.enabled);
    expect(faults).toEqual([]);
    await page.getByRole("button", { name: "Delete", exact: true }).click();
    const dialog = page.getByRole("dialog", { name: `Delete ${changed}?` });
    await dialog.getByRole("button", { name: "Delete" }).click();
    await page.getByText("Nothing is measured yet").waitFor();
    // A question that was under way is answered with 404; the browser logs it of its own accord.
    expect(faults.filter((fault) => !fault.includes("404"))).toEqual([]);
  });

  it("have no barrier that axe finds, and fit wide and narrow, light and dark, in both languages", async () => {
    const { page: first } = await on.signedIn();
    await on.goTo(first, "/probes");
    const { b } = on.lab.addresses;
    const own = await createProbe(first, "Own health", { kind: "http", target: `${on.server.url}/livez`, interval: 1 });
    const ping = await createProbe(first, "Branch office", {
      kind: "ping",
      target: b,
      interval: 1,
      count: 3,
      spacing: 0.05,
    });
    await createProbe(first, "Nobody there", { kind: "tcp", target: `${b}:1`, interval: 2 });
    const trace = await createProbe(first, "Way to the branch", { kind: "mtr", target: b, interval: 10, count: 2 });
    for (const probe of ["Own health", "Branch office", "Nobody there"]) await ran(first, probe, 5);
    await ran(first, "Way to the branch", 1);
    await kept(first, own, 5);
    const pages = {
      probes: "/probes",
      "probe-http": `/probes/${own}?from=-15m`,
      "probe-ping": `/probes/${ping}?from=-15m`,
      "probe-traces": `/probes/${trace}/traces`,
      "probe-new": "/probes/new",
      "probe-edit": `/probes/${own}/edit`,
      "probe-matrix": "/probes/matrix",
      "probe-uptime": "/probes/uptime?period=24h",
      "probe-maintenance": "/probes/maintenance",
    };
    await inEveryLook(on, pages, async (page, name) => {
      const runs = name === "probe-http" || name === "probe-ping";
      if (runs) await page.locator("li > button[aria-expanded]").first().click();
    });
  }, 480_000);
});
