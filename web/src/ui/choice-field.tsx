/** One of many, found by typing: a combobox by the ARIA pattern. Arrows choose, Enter takes, Escape closes; what is typed alone chooses nothing. */
import { type KeyboardEvent, type ReactNode, useState } from "react";
import { useT } from "~/i18n";
import styles from "./choice-field.module.css";
import { ChoiceList } from "./choice-list";
import { Field } from "./form";
import form from "./form.module.css";

export type Choice = {
  value: string;
  label: string;
  /** What is searched beside the label. */
  words?: string;
  /** Shown at the end of the row. */
  mark?: ReactNode;
  /** Shown behind the label. */
  note?: ReactNode;
};

/** Rows that are drawn at most: who looks for another types more. */
const most = 50;

/** Those that have every word of the text. */
export function choicesFor<C extends Pick<Choice, "label" | "words">>(choices: readonly C[], text: string): C[] {
  const parts = text.toLowerCase().split(/\s+/).filter(Boolean);
  const has = ({ label, words = "" }: C, part: string) => `${label} ${words}`.toLowerCase().includes(part);
  return choices.filter((choice) => parts.every((part) => has(choice, part)));
}

type ChoiceFieldProps = {
  label: string;
  hint?: ReactNode;
  error?: string | undefined;
  placeholder: string;
  value: string;
  /** What the chosen one is called when it is none of the choices. */
  unknown: string;
  choices: readonly Choice[];
  onChange: (value: string) => void;
};

export function ChoiceField({ label, hint, error, placeholder, value, unknown, choices, onChange }: ChoiceFieldProps) {
  const t = useT();
  /** What is typed; `undefined` while the list is closed. */
  const [text, setText] = useState<string>();
  const [index, setIndex] = useState(0);
  const fitting = text === undefined ? [] : choicesFor(choices, text);
  const shown = fitting.slice(0, most);
  const chosen = choices.find((choice) => choice.value === value)?.label ?? (value === "" ? "" : unknown);
  const search = (next: string | undefined) => {
    setText(next);
    setIndex(0);
  };
  const take = (choice: Choice) => {
    search(undefined);
    onChange(choice.value);
  };
  const onKeyDown = (event: KeyboardEvent) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    const at = shown[index];
    if (step !== undefined && text === undefined) search("");
    else if (step !== undefined && shown.length > 0) setIndex((index + step + shown.length) % shown.length);
    else if (event.key === "Enter" && at !== undefined) take(at);
    else if (event.key === "Escape" && text !== undefined) search(undefined);
    else return;
    event.preventDefault();
  };
  return (
    <Field label={label} hint={hint} error={error}>
      {(ids) => (
        <div className={styles.box}>
          <input
            {...ids}
            className={form.input}
            role="combobox"
            aria-expanded={text !== undefined}
            aria-controls={`${ids.id}-list`}
            aria-activedescendant={shown[index] === undefined ? undefined : `${ids.id}-${index}`}
            placeholder={placeholder}
            autoComplete="off"
            autoCapitalize="off"
            spellCheck={false}
            maxLength={100}
            value={text ?? chosen}
            onFocus={(event) => event.target.select()}
            onClick={() => text === undefined && search("")}
            onChange={(event) => search(event.target.value)}
            onKeyDown={onKeyDown}
            onBlur={() => search(undefined)}
          />
          {text !== undefined && (
            <ChoiceList
              id={ids.id}
              label={label}
              choices={shown}
              index={index}
              keyOf={(choice) => choice.value}
              onTake={take}
              rowClassName={styles.choice}
              rest={
                <>
                  {shown.length === 0 && <p className={styles.rest}>{t("list.noMatch")}</p>}
                  {fitting.length > most && (
                    <p className={styles.rest}>{t("probe.more", { n: fitting.length - most })}</p>
                  )}
                </>
              }
            >
              {(choice) => (
                <>
                  <span>{choice.label}</span>
                  {choice.note}
                  {choice.mark}
                </>
              )}
            </ChoiceList>
          )}
        </div>
      )}
    </Field>
  );
}
