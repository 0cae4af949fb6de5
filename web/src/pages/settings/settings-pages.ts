/** The pages under Settings in their order, and what each of them needs. The palette lists the same. */
import type { Session } from "~/api/schema";

export const settingsPages = [
  { name: "settings", needs: undefined, person: false },
  { name: "account", needs: undefined, person: true },
  { name: "workspace", needs: "workspace.read", person: false },
  { name: "networks", needs: "traffic.read", person: false },
  { name: "members", needs: "members.read", person: false },
  { name: "roles", needs: "roles.read", person: false },
  { name: "tokens", needs: "tokens.own", person: false },
  { name: "audit", needs: "audit.read", person: false },
  { name: "users", needs: "site.users", person: false },
  { name: "workspaces", needs: "site.workspaces", person: false },
] as const;

export type SettingsPage = (typeof settingsPages)[number];
export type SettingsPageName = SettingsPage["name"];

/** Whether whoever is signed in sees the page. The audit log of the site is enough for the page of the audit log. */
export function maySee({ name, needs, person }: SettingsPage, session: Session | undefined): boolean {
  if (session === undefined) return false;
  if (person) return session.user != null;
  if (needs === undefined) return true;
  return session.permissions.includes(needs) || (name === "audit" && session.permissions.includes("site.audit"));
}
