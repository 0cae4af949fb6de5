/**
 * A menu at its button: opens below it, closes on Escape, on a click elsewhere and when the page scrolls.
 *
 * Arrow keys move through the items, Home and End go to the ends; focus returns to the button.
 */
import { type KeyboardEvent, type ReactNode, useEffect, useLayoutEffect, useRef, useState } from "react";
import { createPortal } from "react-dom";
import { Icon, type IconName } from "./icons";
import styles from "./menu.module.css";

type MenuProps = {
  /** The button; `props` make it one that opens a menu. */
  trigger: (props: {
    ref: (node: HTMLButtonElement | null) => void;
    onClick: () => void;
    "aria-haspopup": "menu";
    "aria-expanded": boolean;
  }) => ReactNode;
  label: string;
  children: (close: () => void) => ReactNode;
};

export function Menu({ trigger, label, children }: MenuProps) {
  const [open, setOpen] = useState(false);
  const button = useRef<HTMLButtonElement | null>(null);
  const close = () => {
    setOpen(false);
    button.current?.focus();
  };
  return (
    <>
      {trigger({
        ref: (node) => {
          button.current = node;
        },
        onClick: () => setOpen((was) => !was),
        "aria-haspopup": "menu",
        "aria-expanded": open,
      })}
      {open && button.current !== null && (
        <Popup anchor={button.current} label={label} onClose={close} onLeave={() => setOpen(false)}>
          {children(close)}
        </Popup>
      )}
    </>
  );
}

type PopupProps = {
  anchor: HTMLElement;
  label: string;
  onClose: () => void;
  onLeave: () => void;
  children: ReactNode;
};

function Popup({ anchor, label, onClose, onLeave, children }: PopupProps) {
  const box = useRef<HTMLDivElement>(null);
  useLayoutEffect(() => {
    const menu = box.current;
    if (menu === null) return;
    const at = anchor.getBoundingClientRect();
    const { width, height } = menu.getBoundingClientRect();
    const below = at.bottom + 4 + height <= innerHeight || at.top < height + 8;
    menu.style.left = `${Math.max(8, Math.min(at.left, innerWidth - width - 8))}px`;
    menu.style.top = `${below ? Math.min(at.bottom + 4, Math.max(8, innerHeight - height - 8)) : at.top - height - 4}px`;
    itemsOf(menu)[0]?.focus({ preventScroll: true });
  }, [anchor]);
  useEffect(() => {
    const away = (event: Event) => {
      const target = event.target as Node;
      if (!box.current?.contains(target) && !anchor.contains(target)) onLeave();
    };
    const top = anchor.getBoundingClientRect().top;
    const moved = () => {
      if (Math.abs(anchor.getBoundingClientRect().top - top) > 4) onLeave();
    };
    addEventListener("pointerdown", away, true);
    addEventListener("scroll", moved, true);
    addEventListener("resize", onLeave);
    return () => {
      removeEventListener("pointerdown", away, true);
      removeEventListener("scroll", moved, true);
      removeEventListener("resize", onLeave);
    };
  }, [anchor, onLeave]);
  const move = (event: KeyboardEvent) => {
    event.stopPropagation();
    const items = itemsOf(box.current);
    const index = items.indexOf(document.activeElement as HTMLElement);
    const next = { ArrowDown: index + 1, ArrowUp: index - 1, Home: 0, End: items.length - 1 }[event.key];
    if (event.key === "Escape" || event.key === "Tab") onClose();
    else if (next === undefined) return;
    else items[(next + items.length) % items.length]?.focus();
    event.preventDefault();
  };
  return createPortal(
    <div ref={box} role="menu" aria-label={label} className={styles.menu} onKeyDown={move}>
      {children}
    </div>,
    document.body,
  );
}

export function MenuItem({ icon, children, onSelect }: { icon?: IconName; children: ReactNode; onSelect: () => void }) {
  return (
    <button
      type="button"
      role="menuitem"
      tabIndex={-1}
      className={styles.item}
      onClick={(event) => {
        event.stopPropagation();
        onSelect();
      }}
    >
      {icon !== undefined && <Icon name={icon} size={14} />}
      {children}
    </button>
  );
}

export function MenuNote({ children }: { children: ReactNode }) {
  return <div className={`${styles.note} mono`}>{children}</div>;
}

export function MenuCheck({
  checked,
  children,
  onChange,
}: {
  checked: boolean;
  children: ReactNode;
  onChange: () => void;
}) {
  return (
    <button
      type="button"
      role="menuitemcheckbox"
      aria-checked={checked}
      tabIndex={-1}
      className={styles.item}
      onClick={onChange}
    >
      <span aria-hidden="true">{checked ? "☑" : "☐"}</span>
      {children}
    </button>
  );
}

function itemsOf(menu: HTMLElement | null): HTMLElement[] {
  return [...(menu?.querySelectorAll<HTMLElement>('[role^="menuitem"]') ?? [])];
}
