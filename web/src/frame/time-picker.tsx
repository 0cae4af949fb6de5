/** The range of time: four quick ones, and a field that takes what the API takes and what people write. */
import { type FormEvent, useEffect, useId, useRef, useState } from "react";
import { useT } from "~/i18n";
import { useFormat } from "~/prefs/use-format";
import { serverNow } from "~/time/clock";
import { parseTyped, quickRanges, shortDuration, type TimeRange } from "~/time/range";
import { useTime, useTimeActions } from "~/time/time";
import { Button } from "~/ui/controls";
import styles from "./time-picker.module.css";

export function TimePicker() {
  const t = useT();
  const { range } = useTime();
  const label = useRangeLabel();
  const [open, setOpen] = useState(false);
  const box = useRef<HTMLDivElement>(null);
  useEffect(() => {
    if (!open) return;
    const away = (event: PointerEvent) => {
      if (!box.current?.contains(event.target as Node)) setOpen(false);
    };
    addEventListener("pointerdown", away);
    return () => removeEventListener("pointerdown", away);
  }, [open]);
  const close = () => {
    setOpen(false);
    box.current?.querySelector("button")?.focus();
  };
  return (
    <div ref={box} className={styles.box}>
      <Button
        className={styles.trigger}
        icon="clock"
        aria-haspopup="dialog"
        aria-expanded={open}
        aria-label={t("time.rangeIs", { range: label(range) })}
        onClick={() => setOpen(!open)}
      >
        {label(range)}
      </Button>
      {open && <Popup onClose={close} />}
    </div>
  );
}

/** A range as people read it: `5 min`, or its two ends. */
export function useRangeLabel(): (range: TimeRange) => string {
  const t = useT();
  const format = useFormat();
  return (range) =>
    range.kind === "relative"
      ? t("time.last", { duration: format.duration(range.seconds) })
      : `${format.clock(range.from)} – ${format.clock(range.to)}`;
}

function Popup({ onClose }: { onClose: () => void }) {
  const t = useT();
  const format = useFormat();
  const id = useId();
  const { range } = useTime();
  const { setRange } = useTimeActions();
  const [text, setText] = useState(() => typedOf(range));
  const [refused, setRefused] = useState(false);
  const choose = (next: TimeRange) => {
    setRange(next);
    onClose();
  };
  const submit = (event: FormEvent) => {
    event.preventDefault();
    const parsed = parseTyped(text, serverNow());
    if (parsed === undefined) setRefused(true);
    else choose(parsed);
  };
  return (
    <div
      role="dialog"
      aria-label={t("time.range")}
      className={styles.popup}
      onKeyDown={(event) => {
        if (event.key === "Escape") onClose();
      }}
    >
      <div className={styles.quick}>
        {quickRanges.map((seconds) => (
          <Button
            key={seconds}
            pressed={range.kind === "relative" && range.seconds === seconds}
            onClick={() => choose({ kind: "relative", seconds })}
          >
            {format.duration(seconds)}
          </Button>
        ))}
      </div>
      <form onSubmit={submit}>
        <label htmlFor={id}>{t("time.typed")}</label>
        <input
          id={id}
          ref={(node) => node?.focus()}
          className={`${styles.field} mono`}
          value={text}
          autoComplete="off"
          spellCheck={false}
          aria-invalid={refused}
          aria-describedby={`${id}-note`}
          onChange={(event) => {
            setText(event.target.value);
            setRefused(false);
          }}
        />
        <p id={`${id}-note`} className={refused ? styles.error : styles.note}>
          {t(refused ? "time.refused" : "time.examples")}
        </p>
      </form>
    </div>
  );
}

function typedOf(range: TimeRange): string {
  if (range.kind === "relative") return `-${shortDuration(range.seconds)}`;
  return `${localText(range.from)} – ${localText(range.to)}`;
}

/** A moment as the field takes it: local, to the second. */
function localText(moment: number): string {
  const at = new Date(moment - new Date(moment).getTimezoneOffset() * 60_000);
  return at.toISOString().slice(0, 19).replace("T", " ");
}
