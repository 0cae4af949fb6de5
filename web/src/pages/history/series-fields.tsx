/** The two fields by which series are found, with completion by the server. */
import { useQuery } from "@tanstack/react-query";
import { type KeyboardEvent, useId, useState } from "react";
import { completionQuery } from "~/api/history";
import { useT } from "~/i18n";
import { ChoiceList } from "~/ui/choice-list";
import styles from "./history.module.css";
import { labelAt } from "./series-rows";

const offered = 30;

export function MetricField({ value, onChange }: { value: string; onChange: (metric: string) => void }) {
  const t = useT();
  const [text, setText] = useState<string>();
  const { data } = useQuery({
    ...completionQuery({ what: "metric", prefix: text ?? "", limit: offered }),
    enabled: text !== undefined,
  });
  return (
    <CompletedField
      label={t("series.metric")}
      placeholder={t("series.metricExample")}
      value={value}
      onText={setText}
      choices={data?.values ?? none}
      onChange={onChange}
    />
  );
}

type LabelsProps = { metric: string | undefined; value: string; onChange: (labels: string) => void };

export function LabelsField({ metric, value, onChange }: LabelsProps) {
  const t = useT();
  const [text, setText] = useState<string>();
  const { lead, name, prefix } = labelAt(text ?? "");
  const { data } = useQuery({
    ...completionQuery({
      what: name === undefined ? "label" : "value",
      prefix,
      limit: offered,
      ...(metric && { metric }),
      ...(name !== undefined && { label: name }),
    }),
    enabled: text !== undefined,
  });
  return (
    <CompletedField
      label={t("series.labels")}
      placeholder={t("series.labelsExample")}
      value={value}
      onText={setText}
      choices={(data?.values ?? none).map((one) => `${lead}${one}${name === undefined ? "=" : ""}`)}
      goesOn={(choice) => choice.endsWith("=")}
      onChange={onChange}
    />
  );
}

const none: readonly string[] = [];

type FieldProps = {
  label: string;
  placeholder: string;
  value: string;
  /** The text while it is typed; `undefined` when nobody types. */
  onText: (text: string | undefined) => void;
  choices: readonly string[];
  /** Whether a choice is not yet the whole text. */
  goesOn?: (choice: string) => boolean;
  onChange: (value: string) => void;
};

/** A combobox by the ARIA pattern: arrows choose, Enter takes, Escape closes. */
function CompletedField({ label, placeholder, value, onText, choices, goesOn, onChange }: FieldProps) {
  const id = useId();
  const [draft, setDraft] = useState<string>();
  const [index, setIndex] = useState(-1);
  const shown = draft === undefined ? none : choices;
  const write = (text: string | undefined) => {
    setDraft(text);
    setIndex(-1);
    onText(text);
  };
  const take = (text: string) => {
    if (goesOn?.(text)) write(text);
    else {
      write(undefined);
      onChange(text.trim());
    }
  };
  const onKeyDown = (event: KeyboardEvent) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step !== undefined && shown.length > 0) setIndex((index + step + shown.length) % shown.length);
    else if (event.key === "Enter") take(shown[index] ?? draft ?? value);
    else if (event.key === "Escape" && draft !== undefined) write(undefined);
    else return;
    event.preventDefault();
  };
  return (
    <div className={styles.fieldBox}>
      <label htmlFor={id}>{label}</label>
      <input
        id={id}
        className={`${styles.field} mono`}
        role="combobox"
        aria-expanded={shown.length > 0}
        aria-controls={`${id}-list`}
        aria-activedescendant={index >= 0 ? `${id}-${index}` : undefined}
        placeholder={placeholder}
        autoComplete="off"
        autoCapitalize="off"
        spellCheck={false}
        value={draft ?? value}
        onFocus={() => write(value)}
        onChange={(event) => write(event.target.value)}
        onKeyDown={onKeyDown}
        onBlur={() => {
          if (draft !== undefined && draft.trim() !== value) onChange(draft.trim());
          write(undefined);
        }}
      />
      {shown.length > 0 && (
        <ChoiceList
          id={id}
          label={label}
          choices={shown}
          index={index}
          keyOf={String}
          onTake={take}
          rowClassName="mono"
        >
          {(choice) => choice}
        </ChoiceList>
      )}
    </div>
  );
}
