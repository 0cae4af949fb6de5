/** Labels in a form: what is typed, and which words of it are none. */
import { useT } from "~/i18n";
import { Field } from "~/ui/form";
import form from "~/ui/form.module.css";
import styles from "./agents.module.css";
import { parseLabels } from "./labels";

/** The same in every language. */
const example = "site=berlin";

type LabelsFieldProps = {
  label: string;
  hint?: string;
  error?: string | undefined;
  disabled?: boolean;
  value: string;
  onChange: (text: string) => void;
};

export function LabelsField({ label, hint, error, disabled = false, value, onChange }: LabelsFieldProps) {
  const t = useT();
  const { refused } = parseLabels(value);
  // A word that is still being typed is not called wrong.
  const wrong = /[\n,]\s*$/.test(value) ? refused : refused.filter((word) => !value.endsWith(word));
  const fault = wrong[0] === undefined ? undefined : t("agents.labelWrong", { word: wrong[0] });
  return (
    <Field label={label} hint={hint ?? t("agents.labelsHint")} error={error ?? fault}>
      {(ids) => (
        <textarea
          {...ids}
          rows={2}
          className={`${form.input} ${styles.labels} mono`}
          spellCheck={false}
          autoCapitalize="off"
          placeholder={disabled ? "" : example}
          disabled={disabled}
          maxLength={4096}
          value={value}
          onChange={(event) => onChange(event.target.value)}
        />
      )}
    </Field>
  );
}
