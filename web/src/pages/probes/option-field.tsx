/** One option of a kind as the field that its form asks for. What it means is said by the server, in English. */
import type { OptionDescription } from "~/api/schema";
import { useT } from "~/i18n";
import { useFormat } from "~/prefs/use-format";
import { Field, SelectField, TextField } from "~/ui/form";
import formStyles from "~/ui/form.module.css";
import { labelOf, type OptionText } from "./form-state";
import styles from "./probes.module.css";

type OptionFieldProps = {
  option: OptionDescription;
  value: OptionText;
  error: string | undefined;
  /** A secret that is set already, and whether it shall be removed. */
  kept: { removed: boolean; onRemove: (removed: boolean) => void } | undefined;
  onChange: (value: OptionText) => void;
};

export function OptionField({ option, value, error, kept, onChange }: OptionFieldProps) {
  const t = useT();
  const format = useFormat();
  const { name, help, form, min, max, choices } = option;
  const range =
    min != null && max != null ? t("probes.range", { min: format.plain(min), max: format.plain(max) }) : undefined;
  const hint = <span lang="en">{range === undefined ? help : `${help} (${range})`}</span>;
  const shared = { label: labelOf(name), hint, error };
  switch (form) {
    case "flag":
      return (
        <label className={styles.check}>
          <input type="checkbox" checked={value === true} onChange={(event) => onChange(event.target.checked)} />
          <span>
            {labelOf(name)} <small lang="en">{help}</small>
          </span>
        </label>
      );
    case "choice":
      return (
        <SelectField
          {...shared}
          value={String(value)}
          options={(choices ?? []).map((word) => ({ value: word, label: word }))}
          onChange={onChange}
        />
      );
    case "texts":
      return (
        <Field {...shared} hint={<span lang="en">{`${help} (${t("probes.lines")})`}</span>}>
          {(ids) => (
            <textarea
              {...ids}
              rows={2}
              className={`${formStyles.input} ${styles.lines} mono`}
              spellCheck={false}
              value={String(value)}
              onChange={(event) => onChange(event.target.value)}
            />
          )}
        </Field>
      );
    case "secret":
      return (
        <>
          <TextField
            {...shared}
            type="password"
            autoComplete="off"
            mono
            disabled={kept?.removed}
            placeholder={kept === undefined ? "" : t("probes.secretKept")}
            value={String(value)}
            onChange={onChange}
          />
          {kept !== undefined && (
            <label className={styles.check}>
              <input type="checkbox" checked={kept.removed} onChange={(event) => kept.onRemove(event.target.checked)} />
              <span>{t("probes.secretRemove", { name: labelOf(name) })}</span>
            </label>
          )}
        </>
      );
    case "whole":
    case "seconds":
      return (
        <TextField
          {...shared}
          inputMode={form === "whole" ? "numeric" : "decimal"}
          placeholder={option.default === undefined ? "" : String(option.default)}
          value={String(value)}
          onChange={onChange}
        />
      );
    default:
      return <TextField {...shared} mono maxLength={4096} value={String(value)} onChange={onChange} />;
  }
}
