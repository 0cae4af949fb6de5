/** People and access, as they use it: signing in and out, inviting, roles, tokens, and the log of all that. */
import type { Page } from "playwright-core";
import { describe, expect, it } from "vitest";
import { open } from "./support/browser";
import { chart, drawn } from "./support/chart";
import { administrator, fillAccount, oneTimePassword, signIn, signOut } from "./support/people";
import { run, until } from "./support/shell";
import { skip, stage } from "./support/stage";

const viewer = { name: "vera", password: "another sentence that is long" } as const;

/** The browser notes each answer of 401 and 403 by itself. */
const unexpected = (faults: readonly string[]) => faults.filter((fault) => !/status of 40[13]/.test(fault));

describe.skipIf(skip)("people", () => {
  const on = stage();
  const overview = (page: Page) => page.getByRole("heading", { name: "Overview" }).waitFor();

  it("signs out and in, and reveals nothing when the password is wrong", async () => {
    const { page, faults } = await on.signedIn();
    await page.goto(`${on.server.url}/settings/account`);
    await signOut(page);
    const refusals: string[] = [];
    for (const name of [administrator.name, "nobody"]) {
      await fillAccount(page, { name, password: "not the password" });
      await page.getByRole("button", { name: "Sign in" }).click();
      const alert = page.getByRole("alert");
      await alert.waitFor();
      refusals.push(await alert.innerText());
      await page.reload();
    }
    expect(refusals[0]).toContain("User name or password is wrong");
    expect(refusals[1]).toBe(refusals[0]);
    await signIn(page, administrator);
    await page.getByRole("heading", { name: "Account" }).waitFor();
    expect(new URL(page.url()).pathname).toBe("/settings/account");
    await page.goto(on.server.url);
    await drawn(chart(page));
    on.keep(await page.context().cookies());
    expect(unexpected(faults)).toEqual([]);
  });

  it("invites a viewer, who sees the traffic and none of the pages of administrators", async () => {
    const { page } = await on.signedIn();
    await page.goto(`${on.server.url}/settings/members`);
    await page.getByRole("button", { name: "Invite" }).click();
    await page.getByRole("button", { name: "Make the link" }).click();
    const link = await page.getByLabel("Link of the invitation").innerText();
    const guest = await open(on.browser);
    await guest.page.goto(link);
    await guest.page.getByText("as Viewer", { exact: false }).waitFor();
    expect(guest.page.url()).not.toContain("#");
    await fillAccount(guest.page, viewer);
    await guest.page.getByRole("button", { name: "Make the account and join" }).click();
    await overview(guest.page);
    await drawn(chart(guest.page));
    await guest.page.goto(`${on.server.url}/settings`);
    const list = guest.page.getByRole("main").getByRole("navigation", { name: "Settings" });
    await list.getByRole("link", { name: "Account" }).waitFor();
    const pages = ["Preferences", "Account", "Workspace", "Address ranges", "Roles"];
    expect(await list.getByRole("link").allInnerTexts()).toEqual(pages);
    for (const path of ["members", "tokens", "audit", "users", "workspaces"]) {
      await guest.page.goto(`${on.server.url}/settings/${path}`);
      await guest.page.getByRole("heading", { name: "You may not see this page" }).waitFor();
    }
    await page.keyboard.press("Escape");
    await page.reload();
    await page.getByRole("table", { name: "Members" }).getByText(viewer.name, { exact: true }).first().waitFor();
    expect(unexpected(guest.faults)).toEqual([]);
    await guest.page.goto(link);
    await guest.page.getByRole("heading", { name: "This link cannot be used" }).waitFor();
  });

  it("gives a member another role, and takes them out", async () => {
    const { page, faults } = await on.signedIn();
    await page.goto(`${on.server.url}/settings/members`);
    const row = page.getByRole("table", { name: "Members" }).getByRole("row").filter({ hasText: viewer.name });
    await row.getByRole("button").click();
    await page.getByRole("menuitem", { name: "Change role" }).click();
    await page.getByRole("dialog").getByLabel("Role").selectOption("operator");
    await page.getByRole("button", { name: "Save" }).click();
    await row.getByText("Operator").waitFor();
    await row.getByRole("button").click();
    await page.getByRole("menuitem", { name: "Remove" }).click();
    await page.getByRole("dialog").getByRole("button", { name: "Remove" }).click();
    await until("the member is gone", async () => (await row.count()) === 0 || undefined);
    expect(faults).toEqual([]);
  });

  it("makes a role of chosen permissions", async () => {
    const { page, faults } = await on.signedIn();
    await page.goto(`${on.server.url}/settings/roles`);
    await page.getByRole("button", { name: "Make a role" }).click();
    const dialog = page.getByRole("dialog");
    await dialog.getByLabel("Name", { exact: true }).fill("Auditor");
    await dialog.getByRole("checkbox", { name: /audit\.read/ }).check();
    await dialog.getByRole("button", { name: "Make a role" }).click();
    await page.getByRole("columnheader", { name: "Auditor" }).waitFor();
    expect(faults).toEqual([]);
  });

  it("makes a token that a program uses until it is revoked", async () => {
    const { page, faults } = await on.signedIn();
    await page.goto(`${on.server.url}/settings/tokens`);
    await page.getByRole("button", { name: "Make a token" }).click();
    await page.getByRole("dialog").getByLabel("Name", { exact: true }).fill("backup script");
    await page.getByRole("dialog").getByRole("button", { name: "Make a token" }).click();
    const secret = await page.getByLabel("Secret of the token").innerText();
    await page.getByRole("button", { name: "Done" }).click();
    expect(await page.content()).not.toContain(secret);
    expect(answerTo(secret)).toBe("200");
    const row = page.getByRole("table", { name: "API tokens" }).getByRole("row").filter({ hasText: "backup script" });
    await row.getByRole("button").click();
    await page.getByRole("menuitem", { name: "Revoke" }).click();
    await page.getByRole("dialog").getByRole("button", { name: "Revoke" }).click();
    await page.getByRole("heading", { name: "No API tokens yet" }).waitFor();
    expect(answerTo(secret)).toBe("401");
    expect(faults).toEqual([]);
  });

  it("has all of it in the audit log, whose chain is whole", async () => {
    const { page, faults } = await on.signedIn();
    await page.goto(`${on.server.url}/settings/audit?scope=site`);
    await page.getByText(/The chain is whole: \d+ records/).waitFor();
    const table = page.getByRole("table", { name: "Audit log" });
    for (const action of [
      "First administrator made",
      "Sign-out",
      "Sign-in",
      "Invitation made",
      "Invitation accepted",
      "Role of member changed",
      "Member removed",
      "Role made",
      "API token made",
      "API token revoked",
    ]) {
      await table.getByText(action, { exact: true }).first().waitFor();
    }
    await table.getByText("Role of member changed", { exact: true }).click();
    const changes = page.getByRole("complementary").getByRole("row", { name: "role viewer operator" });
    await changes.waitFor();
    await page.keyboard.press("Escape");
    await page.getByRole("radio", { name: "Refused" }).check();
    await until("refused sign-ins alone", async () => {
      const rows = await table.locator("tbody tr").allInnerTexts();
      return (rows.length > 1 && rows.every((text) => text.includes("Refused"))) || undefined;
    });
    expect(faults).toEqual([]);
  });

  it("asks for a one-time password once that is switched on", async () => {
    const { page, faults } = await on.signedIn();
    await page.goto(`${on.server.url}/settings/account`);
    await page.getByRole("button", { name: "Switch on" }).click();
    await page.getByLabel("Current password").fill(administrator.password);
    await page.getByRole("dialog").getByRole("button", { name: "Next" }).click();
    await page.getByRole("img", { name: "QR code for the authenticator app" }).waitFor();
    const key = await page.getByLabel("Key for the authenticator app").innerText();
    const recovery = (await page.getByLabel("All recovery codes").innerText()).split(/\s+/);
    expect(recovery).toHaveLength(10);
    await page.getByLabel("Code", { exact: true }).fill(oneTimePassword(key, Date.now()));
    await page.getByRole("dialog").getByRole("button", { name: "Switch on" }).click();
    await page.getByText("10 recovery codes are left.").waitFor();
    await signOut(page);
    await signIn(page, administrator);
    await page.getByRole("button", { name: "Use a recovery code" }).click();
    await page.getByLabel("Recovery code").fill(recovery[0] ?? "");
    await page.getByRole("button", { name: "Sign in" }).click();
    await page.getByText("9 recovery codes are left.").waitFor();
    await page.getByRole("button", { name: "Switch off" }).click();
    await page.getByLabel("Current password").fill(administrator.password);
    await page.getByRole("dialog").getByRole("button", { name: "Switch off" }).click();
    await page.getByRole("button", { name: "Switch on" }).waitFor();
    on.keep(await page.context().cookies());
    expect(unexpected(faults)).toEqual([]);
  });

  it("switches workspaces where there are more than one, by keys alone", async () => {
    const { page, faults } = await on.signedIn();
    await page.goto(`${on.server.url}/settings/workspaces`);
    const bar = page.getByRole("banner").first();
    expect(await bar.getByRole("button", { name: /^Workspace: / }).count()).toBe(0);
    await page.getByRole("button", { name: "Make a workspace" }).press("Enter");
    await page.keyboard.type("Branch office");
    await page.keyboard.press("Enter");
    // The dialog gives the focus back when it goes, which closes a menu that was opened before.
    await page.getByRole("dialog").waitFor({ state: "detached" });
    await bar.getByRole("button", { name: "Workspace: Home" }).press("Enter");
    await page.getByRole("menuitem", { name: "Branch office" }).press("Enter");
    await bar.getByRole("button", { name: "Workspace: Branch office" }).waitFor();
    await page.keyboard.press("Control+k");
    await page.keyboard.type("workspace home");
    await page.keyboard.press("Enter");
    await bar.getByRole("button", { name: "Workspace: Home" }).waitFor();
    await overview(page);
    expect(faults).toEqual([]);
  });

  /** The status with which the API answers to a token. */
  function answerTo(secret: string): string {
    const [program = "ip", ...words] = on.lab.inside;
    const curl = ["curl", "-s", "-o", "/dev/null", "-w", "%{http_code}", "-H", `Authorization: Bearer ${secret}`];
    return run(program, ...words, ...curl, `${on.server.url}/api/v1/interfaces`);
  }
});
