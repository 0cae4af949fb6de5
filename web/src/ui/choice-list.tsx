/** The list under a field with choices (role `combobox`), by the ARIA pattern: the field keeps the focus and handles the keys. */
import type { ReactNode } from "react";
import styles from "./choice-list.module.css";

type ChoiceListProps<C> = {
  /** Of the field: the list is `${id}-list`, the row at `index` is `${id}-${index}`. */
  id: string;
  label: string;
  choices: readonly C[];
  /** The row that the keys have chosen. */
  index: number;
  keyOf: (choice: C) => string;
  onTake: (choice: C) => void;
  /** Another look of the list, and of its rows. */
  className?: string | undefined;
  rowClassName?: string | undefined;
  /** What a row shows. */
  children: (choice: C) => ReactNode;
  /** What is said below the rows. */
  rest?: ReactNode;
};

export function ChoiceList<C>(props: ChoiceListProps<C>) {
  const { id, label, choices, index, keyOf, onTake, className, rowClassName, children, rest } = props;
  return (
    <div id={`${id}-list`} role="listbox" aria-label={label} className={`${styles.list} ${className ?? ""}`}>
      {choices.map((choice, i) => (
        // biome-ignore lint/a11y/useKeyWithClickEvents: the keys are handled by the field, which keeps the focus
        <div
          key={keyOf(choice)}
          id={`${id}-${i}`}
          role="option"
          tabIndex={-1}
          aria-selected={i === index}
          className={`${styles.choice} ${rowClassName ?? ""}`}
          onPointerDown={(event) => event.preventDefault()}
          onClick={() => onTake(choice)}
        >
          {children(choice)}
        </div>
      ))}
      {rest}
    </div>
  );
}
