import { describe, expect, it } from "vitest";
import type { Session } from "~/api/schema";
import { maySee, settingsPages } from "./settings-pages";

function seen(permissions: string[], person = true): string[] {
  const user = { id: "1", name: "ada", display_name: "Ada", site_administrator: false };
  const session = {
    method: "cookie",
    permissions,
    workspaces: [],
    user: person ? { ...user, has_password: true, has_second_factor: false } : null,
  } as Session;
  return settingsPages.filter((page) => maySee(page, session)).map(({ name }) => name);
}

describe("the pages under Settings", () => {
  it("are few for who may see traffic alone", () =>
    expect(seen(["traffic.read"])).toEqual(["settings", "account", "networks"]));
  it("have no account for a program", () => expect(seen([], false)).toEqual(["settings"]));
  it("show the audit log to who may read that of the site", () => {
    expect(seen(["site.audit"])).toContain("audit");
    expect(seen(["audit.read"])).toContain("audit");
  });
  it("are none before it is known who asks", () =>
    expect(settingsPages.some((page) => maySee(page, undefined))).toBe(false));
});
