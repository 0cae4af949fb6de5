/** Fields of forms: a label above, a hint or the error of this field below, tied together for those who do not see them. */
import { type InputHTMLAttributes, type ReactNode, useId, useState } from "react";
import { RequestError } from "~/api/problem";
import { useT } from "~/i18n";
import { Button } from "./controls";
import { ProblemBox } from "./feedback";
import styles from "./form.module.css";

type FieldProps = {
  label: string;
  hint?: ReactNode;
  error?: string | undefined;
  children: (ids: { id: string; "aria-describedby"?: string; "aria-invalid"?: true }) => ReactNode;
};

export function Field({ label, hint, error, children }: FieldProps) {
  const id = useId();
  const note = error ?? hint;
  return (
    <div className={styles.field}>
      <label htmlFor={id}>{label}</label>
      {children({
        id,
        ...(note !== undefined && { "aria-describedby": `${id}-note` }),
        ...(error !== undefined && { "aria-invalid": true }),
      })}
      {note !== undefined && (
        <p id={`${id}-note`} className={error === undefined ? styles.hint : styles.error}>
          {note}
        </p>
      )}
    </div>
  );
}

type TextFieldProps = Omit<InputHTMLAttributes<HTMLInputElement>, "value" | "onChange"> & {
  label: string;
  hint?: ReactNode;
  error?: string | undefined;
  mono?: boolean;
  /** Has the focus when the form appears. */
  first?: boolean;
  value: string;
  onChange: (value: string) => void;
};

export function TextField({ label, hint, error, mono, first, onChange, ...rest }: TextFieldProps) {
  return (
    <Field label={label} hint={hint} error={error}>
      {(ids) => (
        <input
          {...ids}
          {...rest}
          ref={first === true ? focus : undefined}
          className={`${styles.input} ${mono ? "mono" : ""}`}
          spellCheck={false}
          onChange={(event) => onChange(event.target.value)}
        />
      )}
    </Field>
  );
}

type PasswordFieldProps = Omit<TextFieldProps, "type" | "mono"> & { autoComplete: "current-password" | "new-password" };

/** A password that can be looked at; nothing stands in the way of a password manager or of pasting. */
export function PasswordField({ label, hint, error, first, onChange, ...rest }: PasswordFieldProps) {
  const t = useT();
  const [shown, setShown] = useState(false);
  return (
    <Field label={label} hint={hint} error={error}>
      {(ids) => (
        <span className={styles.password}>
          <input
            {...ids}
            {...rest}
            ref={first === true ? focus : undefined}
            type={shown ? "text" : "password"}
            className={styles.input}
            spellCheck={false}
            maxLength={256}
            onChange={(event) => onChange(event.target.value)}
          />
          <Button
            look="quiet"
            aria-pressed={shown}
            aria-label={t("form.showPassword")}
            onClick={() => setShown(!shown)}
          >
            {t(shown ? "form.hide" : "form.show")}
          </Button>
        </span>
      )}
    </Field>
  );
}

type SelectFieldProps = {
  label: string;
  hint?: ReactNode;
  error?: string | undefined;
  value: string;
  options: readonly { value: string; label: string }[];
  onChange: (value: string) => void;
};

export function SelectField({ label, hint, error, value, options, onChange }: SelectFieldProps) {
  return (
    <Field label={label} hint={hint} error={error}>
      {(ids) => (
        <select {...ids} className={styles.input} value={value} onChange={(event) => onChange(event.target.value)}>
          {options.map((option) => (
            <option key={option.value} value={option.value}>
              {option.label}
            </option>
          ))}
        </select>
      )}
    </Field>
  );
}

/** What the server says of one field. */
export function errorOf(error: unknown, parameter: string): string | undefined {
  const problem = error instanceof RequestError ? error.problem : undefined;
  return problem?.parameter === parameter ? problem.detail : undefined;
}

/** What the server says of the whole form: everything that no field shows. */
export function FormProblem({
  error,
  subject,
  fields = [],
}: {
  error: unknown;
  subject: string;
  fields?: readonly string[];
}) {
  if (error === null || error === undefined) return null;
  if (fields.some((field) => errorOf(error, field) !== undefined)) return null;
  return <ProblemBox error={error} subject={subject} />;
}

/** Gives a field the focus when it appears: the function stays the same, so that it is called once. */
function focus(node: HTMLElement | null): void {
  node?.focus();
}
