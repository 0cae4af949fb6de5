/** Everything that a browser test needs, opened once for a file of tests: lab, server, traffic, browser, a signed-in page. */
import type { Browser, BrowserContextOptions, Page } from "playwright-core";
import { afterAll, beforeAll } from "vitest";
import { launch, open, type Watched } from "./browser";
import { Lab, mayMakeLabs } from "./lab";
import { setUp } from "./people";
import { Server } from "./server";
import { run, until } from "./shell";

type Cookies = Awaited<ReturnType<ReturnType<Page["context"]>["cookies"]>>;

export type Stage = {
  lab: Lab;
  server: Server;
  browser: Browser;
  link: string;
  signedIn: (options?: BrowserContextOptions) => Promise<Watched>;
  /** Opens a page of the web app, and waits for its heading. */
  goTo: (page: Page, path: string) => Promise<void>;
  /** Goes on with the session of these cookies: the one before has ended. */
  keep: (cookies: Cookies) => void;
};

export const skip = !mayMakeLabs;
if (skip) {
  process.stderr.write(
    "\nSKIPPED: browser tests need root, for network namespaces with real traffic. Run them with sudo.\n\n",
  );
}

const port = 8470;

/**
 * Called at the top of a file of tests, with variables of the server, and with what is to be built beside the lab before anything runs in
 * it: a browser breaks off what it loads when an interface comes or goes. The fields are there once the tests run.
 */
export function stage(variables: Record<string, string> = {}, build: (lab: Lab) => void = () => undefined): Stage {
  const lab = new Lab();
  const server = new Server({
    prefix: [...lab.inside, "env", ...Object.entries(variables).map(([name, value]) => `${name}=${value}`)],
    port,
    args: ["--interface", lab.interface],
  });
  const made = { lab, server, link: "" } as Stage;
  let cookies: Cookies | undefined;
  made.keep = (of) => {
    cookies = of;
  };
  made.goTo = async (page, path) => {
    await page.goto(`${server.url}${path}`);
    await page.getByRole("heading", { level: 1 }).waitFor();
  };
  made.signedIn = async (options?: BrowserContextOptions) => {
    const watched = await open(made.browser, options);
    if (cookies !== undefined) await watched.page.context().addCookies(cookies);
    else {
      await setUp(watched.page, made.link);
      cookies = await watched.page.context().cookies();
    }
    return watched;
  };
  beforeAll(async () => {
    if (skip) return;
    await lab.open();
    build(lab);
    made.link = await server.start();
    await until("a server that is ready", () => isReady(lab));
    await lab.traffic();
    made.browser = await launch(lab.inside);
  });
  afterAll(async () => {
    if (skip) return;
    await made.browser?.close();
    await server.dispose();
    await lab.close();
  });
  return made;
}

/** Whether frames are captured: connections that begin earlier would be seen from the middle. */
function isReady(lab: Lab): true | undefined {
  const [program = "ip", ...words] = lab.inside;
  run(program, ...words, "curl", "-sf", "-o", "/dev/null", `http://127.0.0.1:${port}/readyz`);
  return true;
}
