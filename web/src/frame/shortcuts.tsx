/** The keys of the app, and the list that `?` shows. */
import { useNavigate, useSearch } from "@tanstack/react-router";
import { useEffect, useRef } from "react";
import type { AppSearch } from "~/app/search";
import { type Key as TextKey, useT } from "~/i18n";
import { paths } from "~/lib/paths";
import { type TimeActions, useTimeActions } from "~/time/time";
import { Key } from "~/ui/controls";
import { Dialog } from "~/ui/dialog";
import styles from "./palette.module.css";

const listed: readonly { keys: readonly string[]; text: TextKey }[] = [
  { keys: ["Ctrl", "K"], text: "shortcuts.palette" },
  { keys: ["/"], text: "shortcuts.filter" },
  { keys: ["?"], text: "shortcuts.help" },
  { keys: ["Space"], text: "shortcuts.pause" },
  { keys: ["G", "O"], text: "shortcuts.overview" },
  { keys: ["G", "T"], text: "shortcuts.traffic" },
  { keys: ["G", "E"], text: "shortcuts.events" },
  { keys: ["G", "H"], text: "shortcuts.health" },
  { keys: ["G", "Y"], text: "shortcuts.history" },
  { keys: ["G", "P"], text: "shortcuts.probes" },
  { keys: ["G", "N"], text: "shortcuts.agents" },
  { keys: ["G", "S"], text: "shortcuts.settings" },
  { keys: ["G", "A"], text: "shortcuts.account" },
  { keys: ["G", "M"], text: "shortcuts.members" },
  { keys: ["G", "L"], text: "shortcuts.audit" },
  { keys: ["T", "←"], text: "shortcuts.earlier" },
  { keys: ["T", "→"], text: "shortcuts.later" },
  { keys: ["T", "−"], text: "shortcuts.zoomOut" },
  { keys: ["T", "+"], text: "shortcuts.zoomIn" },
  { keys: ["T", "C"], text: "shortcuts.copyRange" },
  { keys: ["T", "V"], text: "shortcuts.pasteRange" },
  { keys: ["↑", "↓"], text: "shortcuts.rows" },
  { keys: ["Enter"], text: "shortcuts.open" },
  { keys: ["Esc"], text: "shortcuts.close" },
];

const destinations = {
  o: "overview",
  t: "traffic",
  e: "events",
  h: "health",
  s: "settings",
  y: "history",
  p: "probes",
  n: "agents",
  a: "account",
  m: "members",
  l: "audit",
} as const;

export function Shortcuts({ onClose }: { onClose: () => void }) {
  const t = useT();
  return (
    <Dialog label={t("shortcuts.title")} onClose={onClose}>
      <div className={styles.shortcuts}>
        <h2>{t("shortcuts.title")}</h2>
        <dl>
          {listed.map(({ keys, text }) => [
            <dt key={`${text}-keys`}>
              {keys.map((key) => (
                <Key key={key}>{key}</Key>
              ))}
            </dt>,
            <dd key={text}>{t(text)}</dd>,
          ])}
        </dl>
      </div>
    </Dialog>
  );
}

/** How long the first key of a pair waits for the second, in milliseconds. */
const patience = 1200;

/** Listens for the keys of the app. Keys that are typed into a field, or belong to a focused control, are left alone. */
export function useShortcuts(open: { palette: () => void; help: () => void }): void {
  const navigate = useNavigate();
  const search = useSearch({ strict: false }) as AppSearch;
  const time = useTimeActions();
  const latest = useRef({ open, navigate, search, time });
  latest.current = { open, navigate, search, time };
  useEffect(() => {
    let first: { key: string; at: number } | undefined;
    const onKey = (event: KeyboardEvent) => {
      const { open, navigate, search, time } = latest.current;
      if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "k") {
        event.preventDefault();
        open.palette();
        return;
      }
      if (event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target)) return;
      const lead = first !== undefined && event.timeStamp - first.at < patience ? first.key : undefined;
      first = undefined;
      const key = event.key.toLowerCase();
      if (lead === "g" && key in destinations) {
        void navigate(paths[destinations[key as keyof typeof destinations]](search));
      } else if (lead === "t" && onTime(key, time)) event.preventDefault();
      else if (key === "g" || key === "t") first = { key, at: event.timeStamp };
      else if (key === "?") open.help();
      else if (key === "/") focusFilter(event);
      else if (key === " " && !isControl(event.target)) {
        event.preventDefault();
        time.togglePause();
      }
    };
    addEventListener("keydown", onKey);
    return () => removeEventListener("keydown", onKey);
  }, []);
}

/** The second key after `t`, as in Grafana; says whether it was one. */
function onTime(key: string, time: TimeActions): boolean {
  if (key === "-") time.zoomOut();
  else if (key === "+" || key === "=") time.zoomIn();
  else if (key === "arrowleft") time.shift(-1);
  else if (key === "arrowright") time.shift(1);
  else if (key === "c") time.copy();
  else if (key === "v") void time.paste();
  else return false;
  return true;
}

function focusFilter(event: KeyboardEvent): void {
  const field = document.querySelector<HTMLElement>("[data-filter-field]");
  if (field === null) return;
  event.preventDefault();
  field.focus();
}

function isTyping(target: EventTarget | null): boolean {
  return (
    target instanceof HTMLElement &&
    (target.matches("input:not([type=radio]),textarea,select") || target.isContentEditable)
  );
}

function isControl(target: EventTarget | null): boolean {
  return target instanceof HTMLElement && target.closest("button,a,input,summary,tr[tabindex],[role]") !== null;
}
