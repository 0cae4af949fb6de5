/** Chromium, in a namespace or not, and pages that note everything that goes wrong in them. */
import { chmodSync, mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Browser, type BrowserContextOptions, chromium, type Page } from "playwright-core";

const flags = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

export function launch(prefix: readonly string[] = []): Promise<Browser> {
  const program = process.env.CHROMIUM ?? "/usr/bin/chromium";
  return chromium.launch({ executablePath: prefix.length === 0 ? program : wrapper(prefix, program), args: flags });
}

/** A program that runs another with words before it: Playwright takes a path, not a command. */
function wrapper(prefix: readonly string[], program: string): string {
  const path = join(mkdtempSync(join(tmpdir(), "netwatch-e2e-")), "chromium");
  writeFileSync(path, `#!/bin/sh\nexec ${prefix.join(" ")} ${program} "$@"\n`);
  chmodSync(path, 0o755);
  return path;
}

export type Watched = { page: Page; faults: string[] };

/** A page whose errors, refused resources and policy violations are collected in `faults`. */
export async function open(browser: Browser, options: BrowserContextOptions = {}): Promise<Watched> {
  const context = await browser.newContext({ viewport: { width: 1280, height: 860 }, locale: "en-GB", ...options });
  const page = await context.newPage();
  const faults: string[] = [];
  page.on("pageerror", (error) => faults.push(`error: ${error.stack ?? error.message}`));
  page.on("console", (message) => {
    if (message.type() === "error" || message.type() === "warning") faults.push(`console: ${message.text()}`);
  });
  page.on("dialog", (dialog) => {
    faults.push(`dialog: ${dialog.message()}`);
    void dialog.dismiss();
  });
  await page.addInitScript(() => {
    addEventListener("securitypolicyviolation", (event) => {
      // biome-ignore lint/suspicious/noConsole: the way out of the page to the test
      console.error(`policy: ${event.violatedDirective} ${event.blockedURI}`);
    });
  });
  return { page, faults };
}
