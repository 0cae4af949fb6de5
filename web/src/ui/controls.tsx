/** Buttons, choices, tabs and status marks: the small parts that every page shares. */
import { type ButtonHTMLAttributes, type KeyboardEvent, type ReactNode, useId, useRef } from "react";
import styles from "./controls.module.css";
import { Icon, type IconName } from "./icons";

type ButtonProps = ButtonHTMLAttributes<HTMLButtonElement> & {
  look?: "normal" | "primary" | "quiet" | "danger";
  icon?: IconName;
  pressed?: boolean;
};

export function Button({ look = "normal", icon, pressed, className, children, ...rest }: ButtonProps) {
  const classes = [
    styles.button,
    look === "primary" && styles.primary,
    look === "quiet" && styles.quiet,
    look === "danger" && styles.danger,
    children === undefined && styles.icon,
    pressed && styles.pressed,
    className,
  ];
  return (
    <button type="button" aria-pressed={pressed} className={classes.filter(Boolean).join(" ")} {...rest}>
      {icon !== undefined && <Icon name={icon} size={14} />}
      {children}
    </button>
  );
}

export const buttonClass = (primary = false): string =>
  [styles.button, primary && styles.primary].filter(Boolean).join(" ");

type Option<T extends string> = { value: T; label: string };
type ChoiceProps<T extends string> = {
  label: string;
  value: T;
  options: readonly Option<T>[];
  onChange: (value: T) => void;
};

/** A choice of two to five that are all seen at once. */
export function Segmented<T extends string>({ label, value, options, onChange }: ChoiceProps<T>) {
  const name = useId();
  return (
    <fieldset className={styles.segmented} style={{ margin: 0 }}>
      <legend className="visually-hidden">{label}</legend>
      {options.map((option) => (
        <label key={option.value} className={styles.segment}>
          <input
            type="radio"
            name={name}
            value={option.value}
            checked={option.value === value}
            onChange={() => onChange(option.value)}
          />
          <span>{option.label}</span>
        </label>
      ))}
    </fieldset>
  );
}

export function Select<T extends string>({
  label,
  value,
  options,
  onChange,
  hideLabel,
}: ChoiceProps<T> & { hideLabel?: boolean }) {
  return (
    <label className={styles.selectBox}>
      <span className={hideLabel ? "visually-hidden" : undefined}>{label}</span>
      <select className={styles.select} value={value} onChange={(event) => onChange(event.target.value as T)}>
        {options.map((option) => (
          <option key={option.value} value={option.value}>
            {option.label}
          </option>
        ))}
      </select>
      <Icon name="down" size={12} />
    </label>
  );
}

/** Tabs by the ARIA pattern: arrows move and select, Tab leaves. */
export function Tabs<T extends string>({ label, value, options, onChange }: ChoiceProps<T>) {
  const list = useRef<HTMLDivElement>(null);
  const move = (event: KeyboardEvent) => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (step === undefined) return;
    event.preventDefault();
    const index = options.findIndex((option) => option.value === value);
    const next = options[(index + step + options.length) % options.length];
    if (next === undefined) return;
    onChange(next.value);
    list.current?.querySelectorAll<HTMLElement>('[role="tab"]')[options.indexOf(next)]?.focus();
  };
  return (
    <div ref={list} role="tablist" aria-label={label} className={styles.tabs} onKeyDown={move}>
      {options.map((option) => (
        <button
          key={option.value}
          type="button"
          role="tab"
          aria-selected={option.value === value}
          tabIndex={option.value === value ? 0 : -1}
          className={styles.tab}
          onClick={() => onChange(option.value)}
        >
          {option.label}
        </button>
      ))}
    </div>
  );
}

export function Key({ children }: { children: ReactNode }) {
  return <kbd className={styles.kbd}>{children}</kbd>;
}

export type Status = "ok" | "warning" | "critical" | "unknown" | "silent" | "paused";

const shapes: Record<Status, string> = {
  ok: "●",
  warning: "▲",
  critical: "◆",
  unknown: "■",
  silent: "◌",
  paused: "‖",
};
const tones: Record<Status, string | undefined> = {
  ok: styles.ok,
  warning: styles.warning,
  critical: styles.critical,
  unknown: styles.neutral,
  silent: styles.neutral,
  paused: styles.neutral,
};

/** A status: a shape, a colour and a word, so that none of them is needed alone. */
export function Mark({ status, children }: { status: Status; children: ReactNode }) {
  return (
    <span className={`${styles.mark} ${tones[status] ?? ""}`}>
      <i aria-hidden="true">{shapes[status]}</i>
      <span>{children}</span>
    </span>
  );
}
