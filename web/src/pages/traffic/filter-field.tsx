/** The text field of a filter: completes field names (as one types, or on Ctrl+Space), applies on Enter. */
import { useQuery } from "@tanstack/react-query";
import { type KeyboardEvent, useId, useRef, useState } from "react";
import { flushSync } from "react-dom";
import { fieldsQuery } from "~/api/queries";
import type { FilterField as Field } from "~/api/schema";
import { useT } from "~/i18n";
import { completionsAt } from "~/lib/completion";
import { ChoiceList } from "~/ui/choice-list";
import styles from "./filter-bar.module.css";

type FilterFieldProps = {
  initial: string;
  autoFocus: boolean;
  placeholder: string;
  onApply: (text: string) => void;
  onCancel: () => void;
};

const noFields: readonly Field[] = [];

export function FilterField({ initial, autoFocus, placeholder, onApply, onCancel }: FilterFieldProps) {
  const t = useT();
  const id = useId();
  const input = useRef<HTMLInputElement>(null);
  const [text, setText] = useState(initial);
  const [open, setOpen] = useState(false);
  const [index, setIndex] = useState(-1);
  const { data } = useQuery({ ...fieldsQuery, enabled: open });
  const { start, matches } = completionsAt(text, input.current?.selectionStart ?? text.length, data?.items ?? noFields);
  const shown = open ? matches.slice(0, 12) : [];

  const complete = (field: Field) => {
    const end = input.current?.selectionStart ?? text.length;
    const next = `${text.slice(0, start)}${field.name} `;
    // At once, so that the next key is typed where the caret will be.
    flushSync(() => {
      setText(next + text.slice(end).trimStart());
      setIndex(-1);
    });
    input.current?.setSelectionRange(next.length, next.length);
  };
  const onKeyDown = (event: KeyboardEvent) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    const chosen = shown[index];
    if (event.key === " " && event.ctrlKey) setOpen(true);
    else if (step !== undefined && shown.length > 0) setIndex((index + step + shown.length) % shown.length);
    else if ((event.key === "Enter" || event.key === "Tab") && chosen !== undefined) complete(chosen);
    else if (event.key === "Enter") {
      setOpen(false);
      onApply(text);
    } else if (event.key === "Escape") {
      if (open) setOpen(false);
      else onCancel();
    } else return;
    event.preventDefault();
    event.stopPropagation();
  };
  return (
    <div className={styles.fieldBox}>
      <input
        ref={(node) => {
          input.current = node;
          if (node !== null && autoFocus && document.activeElement === document.body) node.focus();
        }}
        data-filter-field
        className={`${styles.field} mono`}
        role="combobox"
        aria-expanded={shown.length > 0}
        aria-controls={`${id}-list`}
        aria-activedescendant={index >= 0 ? `${id}-${index}` : undefined}
        aria-label={t("filter.label")}
        placeholder={placeholder}
        autoComplete="off"
        autoCapitalize="off"
        spellCheck={false}
        value={text}
        onChange={(event) => {
          setText(event.target.value);
          setOpen(true);
          setIndex(-1);
        }}
        onKeyDown={onKeyDown}
        onBlur={() => setOpen(false)}
      />
      {shown.length > 0 && (
        <ChoiceList
          id={id}
          label={t("filter.fields")}
          choices={shown}
          index={index}
          keyOf={(field) => field.name}
          onTake={complete}
          className={styles.suggestions}
          rowClassName={styles.suggestion}
        >
          {(field) => (
            <>
              <code>{field.name}</code>
              <small>
                {field.description}
                <br />
                <code>{field.example}</code>
              </small>
            </>
          )}
        </ChoiceList>
      )}
    </div>
  );
}
