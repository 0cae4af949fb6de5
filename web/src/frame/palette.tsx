/** The command palette: pages, hosts by their address, and actions, found by typing. */
import { type KeyboardEvent, useId, useState } from "react";
import { useT } from "~/i18n";
import { Dialog } from "~/ui/dialog";
import { Icon } from "~/ui/icons";
import { type Command, useCommands } from "./commands";
import styles from "./palette.module.css";

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
