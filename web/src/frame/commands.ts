/** What the palette offers for a text: hosts by address or by part of it, pages, workspaces, saved views and actions. */
import { useQuery } from "@tanstack/react-query";
import { useNavigate, useSearch } from "@tanstack/react-router";
import { topQuery } from "~/api/queries";
import { viewsQuery } from "~/api/views";
import type { AppSearch } from "~/app/search";
import { useT } from "~/i18n";
import { term } from "~/lib/filter";
import { addressIn, paths } from "~/lib/paths";
import { targetOf } from "~/lib/views";
import { maySee, settingsPages } from "~/pages/settings/settings-pages";
import { preferences, setPreference } from "~/prefs/preferences";
import { useFormat } from "~/prefs/use-format";
import { openWorkspace, signOut, useMay, useSession } from "~/session/session";
import { quickRanges } from "~/time/range";
import { useTimeActions } from "~/time/time";
import type { IconName } from "~/ui/icons";
import { pages } from "./rail";

export type Command = { id: string; icon: IconName; label: string; kind: string; run: () => void };

/** Hosts that are looked through, and shown at most. */
const hostsAsked = 200;
const hostsShown = 6;

export function useCommands(text: string, onShortcuts: () => void): Command[] {
  const hosts = useHosts(text);
  const places = usePlaces();
  const views = useViews();
  const actions = useActions(onShortcuts);
  if (addressIn(text) !== undefined) return hosts;
  return [...matching([...places, ...views, ...actions], text), ...hosts];
}

/** Each word of the text is somewhere in the label or the kind. */
function matching(commands: readonly Command[], text: string): Command[] {
  const words = text.toLowerCase().split(/\s+/).filter(Boolean);
  return commands.filter(({ label, kind }) => words.every((word) => `${label} ${kind}`.toLowerCase().includes(word)));
}

/** The host of an address that was typed in full; else those that were seen in the last hour and have the text in their address. */
function useHosts(text: string): Command[] {
  const t = useT();
  const navigate = useNavigate();
  const search = useSearch({ strict: false }) as AppSearch;
  const may = useMay();
  const part = text.trim().toLowerCase();
  const wanted = part.length > 1 && /[0-9.:]/.test(part) && may("traffic.read");
  const { data } = useQuery({
    ...topQuery({ by: "host", from: "-1h", limit: hostsAsked }),
    enabled: wanted,
    staleTime: 30_000,
  });
  const host = (address: string): Command => ({
    id: `host-${address}`,
    icon: "open",
    label: address,
    kind: t("palette.host"),
    run: () => void navigate(paths.host(address, search)),
  });
  const address = addressIn(text);
  if (address === undefined) {
    if (!wanted) return [];
    const seen = (data?.items ?? []).map(({ key }) => key).filter((key) => key.includes(part));
    return seen.slice(0, hostsShown).map(host);
  }
  return [
    host(address),
    {
      id: "host-traffic",
      icon: "traffic",
      label: t("palette.trafficOf", { address }),
      kind: t("page.traffic"),
      run: () => void navigate(paths.traffic(search, { filter: term("host", address, true) })),
    },
  ];
}

/** Pages, those under Settings as far as they may be seen, and other workspaces. */
function usePlaces(): Command[] {
  const t = useT();
  const navigate = useNavigate();
  const search = useSearch({ strict: false }) as AppSearch;
  const session = useSession();
  const shown = settingsPages.filter((page) => page.name !== "settings" && maySee(page, session));
  const others = session?.workspaces.filter(({ id }) => id !== session.workspace?.id) ?? [];
  return [
    ...pages.map(({ name, word, icon }) => ({
      id: name,
      icon,
      label: t(word),
      kind: t("palette.page"),
      run: () => void navigate(paths[name](search)),
    })),
    ...shown.map(({ name }) => ({
      id: name,
      icon: "settings" as const,
      label: t(`page.${name}`),
      kind: t("page.settings"),
      run: () => void navigate(paths[name](search)),
    })),
    ...others.map(({ id, name }) => ({
      id: `workspace-${id}`,
      icon: "right" as const,
      label: name,
      kind: t("palette.workspace"),
      run: () => void openWorkspace(id).then(() => navigate(paths.overview(search))),
    })),
  ];
}

/** Saved views of all pages. */
function useViews(): Command[] {
  const t = useT();
  const navigate = useNavigate();
  const may = useMay();
  const { data } = useQuery({ ...viewsQuery, enabled: may("views.read") });
  return (data ?? []).map((view) => ({
    id: `view-${view.id}`,
    icon: "open" as const,
    label: view.name,
    kind: t("palette.view"),
    run: () => void navigate(targetOf(view)),
  }));
}

function useActions(onShortcuts: () => void): Command[] {
  const t = useT();
  const format = useFormat();
  const { togglePause, setRange } = useTimeActions();
  const action = (id: string, icon: IconName, label: string, run: () => void): Command => ({
    id,
    icon,
    label,
    kind: t("palette.action"),
    run,
  });
  const bits = preferences().rates === "bits";
  return [
    action("pause", "pause", t("palette.pause"), togglePause),
    ...(["light", "dark", "system"] as const).map((theme) =>
      action(`theme-${theme}`, "settings", t("palette.theme", { theme: t(`theme.${theme}`) }), () =>
        setPreference("theme", theme),
      ),
    ),
    ...(["en", "de"] as const).map((language) =>
      action(`language-${language}`, "settings", t("palette.language", { language: t(`language.${language}`) }), () =>
        setPreference("language", language),
      ),
    ),
    action("zone-system", "clock", t("palette.zoneSystem"), () => setPreference("zone", "system")),
    action("zone-utc", "clock", t("palette.zoneUtc"), () => setPreference("zone", "UTC")),
    action("units", "settings", t(bits ? "palette.bytes" : "palette.bits"), () =>
      setPreference("rates", bits ? "bytes" : "bits"),
    ),
    ...quickRanges.map((seconds) =>
      action(`range-${seconds}`, "clock", t("palette.range", { duration: format.duration(seconds) }), () =>
        setRange({ kind: "relative", seconds }),
      ),
    ),
    action("shortcuts", "help", t("shortcuts.title"), onShortcuts),
    action("sign-out", "user", t("settings.signOut"), () => void signOut()),
  ];
}
