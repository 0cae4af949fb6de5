/** People as they come in: the first administrator through the set-up, others by name and password. */
import { createHmac } from "node:crypto";
import type { Page } from "playwright-core";

export const administrator = { name: "ada", password: "a sentence that is long" } as const;

/** From the printed link through all steps of the set-up to the overview. */
export async function setUp(page: Page, link: string): Promise<void> {
  await page.goto(link);
  await page.getByRole("heading", { name: "Set up Netwatch" }).waitFor();
  await fillAccount(page, administrator);
  await page.getByRole("button", { name: "Next" }).click();
  await page.getByRole("heading", { name: "What is captured" }).waitFor();
  await page.getByRole("table", { name: "Interfaces" }).waitFor();
  await page.getByRole("button", { name: "Next" }).click();
  await page.getByText("Traffic arrives").waitFor();
  await page.getByRole("button", { name: "Next" }).click();
  await page.getByRole("heading", { name: "Invite others" }).waitFor();
  await page.getByRole("link", { name: "Go to Overview" }).click();
  await page.getByRole("heading", { name: "Overview" }).waitFor();
}

type Person = { readonly name: string; readonly password: string };

export async function fillAccount(page: Page, { name, password }: Person): Promise<void> {
  await page.getByLabel("User name").fill(name);
  await page.getByLabel("Password", { exact: true }).fill(password);
}

export async function signIn(page: Page, person: Person): Promise<void> {
  await page.getByRole("heading", { name: "Sign in" }).waitFor();
  await fillAccount(page, person);
  await page.getByRole("button", { name: "Sign in", exact: true }).click();
}

export async function signOut(page: Page): Promise<void> {
  await page.getByRole("button", { name: /^User: / }).click();
  await page.getByRole("menuitem", { name: "Sign out" }).click();
  await page.getByRole("heading", { name: "Sign in" }).waitFor();
}

/** Seconds for which a one-time password is good. */
const step = 30;

/** The one-time password of a key at a moment (RFC 6238: SHA-1, six digits). */
export function oneTimePassword(key: string, moment: number): string {
  const counter = Buffer.alloc(8);
  counter.writeBigUInt64BE(BigInt(Math.floor(moment / 1000 / step)));
  const digest = createHmac("sha1", fromBase32(key)).update(counter).digest();
  const offset = (digest.at(-1) ?? 0) & 0x0f;
  const number = (digest.readUInt32BE(offset) & 0x7fffffff) % 1_000_000;
  return String(number).padStart(6, "0");
}

/** RFC 4648, section 6. */
function fromBase32(text: string): Buffer {
  const bits = [...text.replace(/[\s=]/g, "").toUpperCase()]
    .map((letter) => "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567".indexOf(letter).toString(2).padStart(5, "0"))
    .join("");
  const bytes = bits.match(/.{8}/g) ?? [];
  return Buffer.from(bytes.map((byte) => Number.parseInt(byte, 2)));
}
