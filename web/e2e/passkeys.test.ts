/** Passkeys, with the authenticator that Chromium has for tests: added, signed in with, taken in place of the code, removed. */
import type { Page } from "playwright-core";
import { describe, expect, it } from "vitest";
import { open } from "./support/browser";
import { administrator, oneTimePassword, signIn, signOut } from "./support/people";
import { skip, stage } from "./support/stage";

/** A device with fingerprint reader in the machine of this page (Web Authentication, section 11). */
async function withDevice(page: Page): Promise<void> {
  const browser = await page.context().newCDPSession(page);
  await browser.send("WebAuthn.enable");
  const options = {
    protocol: "ctap2",
    transport: "internal",
    hasResidentKey: true,
    hasUserVerification: true,
    isUserVerified: true,
    automaticPresenceSimulation: true,
  } as const;
  await browser.send("WebAuthn.addVirtualAuthenticator", { options });
}

const unexpected = (faults: readonly string[]) => faults.filter((fault) => !/status of 40[13]/.test(fault));

describe.skipIf(skip)("passkeys", () => {
  const on = stage();
  /** Browsers have passkeys for names. */
  const account = () => `${on.server.url.replace("127.0.0.1", "localhost")}/settings/account`;
  const prove = async (page: Page) => page.getByLabel("Current password").fill(administrator.password);
  const own = (page: Page) => page.getByRole("list", { name: "Passkeys" });

  async function adds(page: Page, name: string): Promise<void> {
    await page.getByRole("button", { name: "Add a passkey" }).click();
    const dialog = page.getByRole("dialog");
    await dialog.getByLabel("Name of the passkey").fill(name);
    await prove(page);
    await dialog.getByRole("button", { name: "Next" }).click();
    await own(page).getByText(name, { exact: true }).waitFor();
  }

  it("tells by which address there are none", async () => {
    const { page } = await on.signedIn();
    await page.goto(`${on.server.url}/settings/account`);
    await page.getByText("open Netwatch with https and its name, or as localhost").waitFor();
    expect(await page.getByRole("button", { name: "Add a passkey" }).isDisabled()).toBe(true);
  });

  it("is added, named, and signs in in place of name and password", async () => {
    const { page, faults } = await open(on.browser);
    await withDevice(page);
    await page.goto(account());
    await signIn(page, administrator);
    await adds(page, "Telephone");
    await own(page).getByRole("button").click();
    await page.getByRole("menuitem", { name: "Rename the passkey" }).click();
    await page.getByRole("dialog").getByLabel("Name of the passkey").fill("Key ring");
    await page.getByRole("dialog").getByRole("button", { name: "Save" }).click();
    await own(page).getByText("Key ring", { exact: true }).waitFor();

    await page.getByRole("button", { name: "Add a passkey" }).click();
    await page.getByRole("dialog").getByLabel("Name of the passkey").fill("The same again");
    await prove(page);
    await page.getByRole("dialog").getByRole("button", { name: "Next" }).click();
    await page.getByText("This device has a passkey of yours already.").waitFor();
    await page.getByRole("dialog").getByRole("button", { name: "Cancel" }).click();

    await signOut(page);
    await page.getByRole("button", { name: "Sign in with a passkey" }).click();
    await page.getByRole("heading", { name: "Account" }).waitFor();
    await own(page).getByText("Last used").waitFor();
    await page.getByText("· passkey ·", { exact: false }).waitFor();
    expect(unexpected(faults)).toEqual([]);
  });

  it("stands for the code after the password, and lets nobody in once it is removed", async () => {
    const { page, faults } = await open(on.browser);
    await withDevice(page);
    await page.goto(account());
    await signIn(page, administrator);
    await adds(page, "Laptop");
    await page.getByRole("button", { name: "Switch on" }).click();
    await prove(page);
    await page.getByRole("dialog").getByRole("button", { name: "Next" }).click();
    const key = await page.getByLabel("Key for the authenticator app").innerText();
    await page.getByLabel("Code", { exact: true }).fill(oneTimePassword(key, Date.now()));
    await page.getByRole("dialog").getByRole("button", { name: "Switch on" }).click();
    await page.getByText("10 recovery codes are left.").waitFor();

    await signOut(page);
    await signIn(page, administrator);
    await page.getByRole("button", { name: "Use a passkey instead" }).click();
    await page.getByText("password and passkey").waitFor();

    const laptop = own(page).getByRole("listitem").filter({ hasText: "Laptop" });
    await laptop.getByRole("button").click();
    await page.getByRole("menuitem", { name: "Remove the passkey" }).click();
    await prove(page);
    await page.getByRole("dialog").getByRole("button", { name: "Remove the passkey" }).click();
    await laptop.waitFor({ state: "detached" });
    await signOut(page);
    await page.getByRole("button", { name: "Sign in with a passkey" }).click();
    await page.getByText("This passkey is not known here, or was removed.").waitFor();
    expect(unexpected(faults)).toEqual([]);
  });
});
