/** The command palette: pages, hosts by their address, and actions, found by typing. */
import { useNavigate, useSearch } from "@tanstack/react-router";
import { type KeyboardEvent, useId, useState } from "react";
import type { AppSearch } from "~/app/search";
import { useT } from "~/i18n";
import { term } from "~/lib/filter";
import { addressIn, paths } from "~/lib/paths";
import { preferences, setPreference } from "~/prefs/preferences";
import { useFormat } from "~/prefs/use-format";
import { quickRanges } from "~/time/range";
import { useTimeActions } from "~/time/time";
import { Icon, type IconName } from "~/ui/icons";
import { Dialog } from "./dialog";
import styles from "./dialog.module.css";
import { pages } from "./rail";

type Command = { id: string; icon: IconName; label: string; kind: string; run: () => void };

export function Palette({ onClose, onShortcuts }: { onClose: () => void; onShortcuts: () => void }) {
  const t = useT();
  const id = useId();
  const [text, setText] = useState("");
  const [index, setIndex] = useState(0);
  const commands = useCommands(text, onShortcuts);
  const selected = commands[Math.min(index, commands.length - 1)];
  const run = (command: Command | undefined) => {
    if (command === undefined) return;
    onClose();
    command.run();
  };
  const onKeyDown = (event: KeyboardEvent) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step !== undefined) setIndex((Math.min(index, commands.length - 1) + step + commands.length) % commands.length);
    else if (event.key === "Enter") run(selected);
    else return;
    event.preventDefault();
  };
  return (
    <Dialog label={t("palette.title")} onClose={onClose}>
      <input
        ref={(node) => node?.focus()}
        className={styles.input}
        role="combobox"
        aria-expanded="true"
        aria-controls={`${id}-list`}
        aria-activedescendant={selected && `${id}-${selected.id}`}
        aria-label={t("palette.title")}
        placeholder={t("palette.placeholder")}
        autoComplete="off"
        spellCheck={false}
        value={text}
        onChange={(event) => {
          setText(event.target.value);
          setIndex(0);
        }}
        onKeyDown={onKeyDown}
      />
      <div id={`${id}-list`} role="listbox" aria-label={t("palette.title")} className={styles.list}>
        {commands.length === 0 && <p className={styles.group}>{t("palette.nothing")}</p>}
        {commands.map((command) => (
          // biome-ignore lint/a11y/useKeyWithClickEvents: the keys are handled by the combobox, which keeps the focus
          <div
            key={command.id}
            id={`${id}-${command.id}`}
            role="option"
            tabIndex={-1}
            aria-selected={command === selected}
            className={styles.option}
            ref={command === selected ? (node) => node?.scrollIntoView({ block: "nearest" }) : undefined}
            onClick={() => run(command)}
          >
            <Icon name={command.icon} size={15} />
            <span>{command.label}</span>
            <small>{command.kind}</small>
          </div>
        ))}
      </div>
    </Dialog>
  );
}

function useCommands(text: string, onShortcuts: () => void): Command[] {
  const t = useT();
  const format = useFormat();
  const navigate = useNavigate();
  const search = useSearch({ strict: false }) as AppSearch;
  const { togglePause, setRange } = useTimeActions();
  const address = addressIn(text);
  const found: Command[] =
    address === undefined
      ? []
      : [
          {
            id: "host",
            icon: "open",
            label: address,
            kind: t("palette.host"),
            run: () => void navigate(paths.host(address, search)),
          },
          {
            id: "host-traffic",
            icon: "traffic",
            label: t("palette.trafficOf", { address }),
            kind: t("page.traffic"),
            run: () => void navigate(paths.traffic(search, { filter: term("host", address, true) })),
          },
        ];
  const all: Command[] = [
    ...pages.map(({ name, word, icon }) => ({
      id: name,
      icon,
      label: t(word),
      kind: t("palette.page"),
      run: () => void navigate(paths[name](search)),
    })),
    action("pause", "pause", t("palette.pause"), togglePause),
    ...(["light", "dark", "system"] as const).map((theme) =>
      action(`theme-${theme}`, "settings", t("palette.theme", { theme: t(`theme.${theme}`) }), () =>
        setPreference("theme", theme),
      ),
    ),
    action("units", "settings", t(preferences().rates === "bits" ? "palette.bytes" : "palette.bits"), () =>
      setPreference("rates", preferences().rates === "bits" ? "bytes" : "bits"),
    ),
    ...quickRanges.map((seconds) =>
      action(`range-${seconds}`, "clock", t("palette.range", { duration: format.duration(seconds) }), () =>
        setRange({ kind: "relative", seconds }),
      ),
    ),
    action("shortcuts", "help", t("shortcuts.title"), onShortcuts),
  ];
  const words = text.toLowerCase().split(/\s+/).filter(Boolean);
  const matching = all.filter(({ label, kind }) =>
    words.every((word) => `${label} ${kind}`.toLowerCase().includes(word)),
  );
  return [...found, ...(address === undefined ? matching : [])];

  function action(id: string, icon: IconName, label: string, run: () => void): Command {
    return { id, icon, label, kind: t("palette.action"), run };
  }
}
