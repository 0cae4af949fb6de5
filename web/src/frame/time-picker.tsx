/** The range of time: quick ones, those of the calendar and the last ones, a field that takes Grafana's grammar, and the zone. */
import { type FormEvent, useEffect, useId, useRef, useState } from "react";
import { useT } from "~/i18n";
import { setPreference, usePreferences } from "~/prefs/preferences";
import { useFormat } from "~/prefs/use-format";
import { useZone } from "~/prefs/use-zone";
import { serverNow } from "~/time/clock";
import { isSame, namedRanges, parseTyped, quickRanges, spanOf, type TimeRange, writtenRange } from "~/time/range";
import { recentRanges } from "~/time/recent";
import { useTime, useTimeActions } from "~/time/time";
import { Button, Select } from "~/ui/controls";
import styles from "./time-picker.module.css";

export function TimePicker() {
  const t = useT();
  const { range } = useTime();
  const { shift } = useTimeActions();
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
    box.current?.querySelector<HTMLElement>("[aria-haspopup]")?.focus();
  };
  return (
    <div ref={box} className={styles.box}>
      <Button
        className={styles.shift}
        icon="left"
        look="quiet"
        aria-label={t("time.earlier")}
        title={t("time.earlier")}
        onClick={() => shift(-1)}
      />
      <Button
        className={styles.trigger}
        icon="clock"
        aria-haspopup="dialog"
        aria-expanded={open}
        aria-label={t("time.rangeIs", { range: label(range) })}
        onClick={() => setOpen(!open)}
      >
        <span>{label(range)}</span>
      </Button>
      <Button
        className={styles.shift}
        icon="right"
        look="quiet"
        aria-label={t("time.later")}
        title={t("time.later")}
        onClick={() => shift(1)}
        disabled={range.kind === "relative"}
      />
      {open && <Popup onClose={close} />}
    </div>
  );
}

/** A range as people read it: `Last 5 min`, `Yesterday`, or its two ends. */
export function useRangeLabel(): (range: TimeRange) => string {
  const t = useT();
  const format = useFormat();
  const zone = useZone();
  return (range) => {
    if (range.kind === "relative") return t("time.last", { duration: format.duration(range.seconds) });
    if (range.kind === "calendar") {
      const named = namedRanges.find(({ from, to }) => from === range.from && to === range.to);
      return named === undefined ? writtenRange(range, zone) : t(`time.${named.name}`);
    }
    const { from, to } = spanOf(range, 0, zone);
    const [first, last] = [format.day(from), format.day(to)];
    const ends = [from, to].map((at) => format.clock(at).slice(0, to - from >= 3_600_000 ? 5 : 8));
    if (first === last && first === format.day(serverNow())) return `${ends[0]} – ${ends[1]}`;
    return `${first} ${ends[0]} – ${first === last ? "" : `${last} `}${ends[1]}`;
  };
}

function Popup({ onClose }: { onClose: () => void }) {
  const t = useT();
  const format = useFormat();
  const label = useRangeLabel();
  const { range } = useTime();
  const { setRange } = useTimeActions();
  const [recent] = useState(recentRanges);
  const choose = (next: TimeRange) => {
    setRange(next);
    onClose();
  };
  const button = (key: string, one: TimeRange, text: string) => (
    <Button key={key} pressed={isSame(range, one)} onClick={() => choose(one)} title={text}>
      {text}
    </Button>
  );
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
        {quickRanges.map((seconds) => button(String(seconds), { kind: "relative", seconds }, format.duration(seconds)))}
      </div>
      <div className={styles.named}>
        {namedRanges.map(({ name, from, to }) => button(name, { kind: "calendar", from, to }, t(`time.${name}`)))}
      </div>
      <Typed range={range} onChoose={choose} />
      {recent.length > 0 && (
        <>
          <h3 className={styles.head}>{t("time.recent")}</h3>
          <div className={styles.recent}>{recent.map((one, index) => button(String(index), one, label(one)))}</div>
        </>
      )}
      <ZoneChoice />
    </div>
  );
}

function Typed({ range, onChoose }: { range: TimeRange; onChoose: (range: TimeRange) => void }) {
  const t = useT();
  const id = useId();
  const zone = useZone();
  const [text, setText] = useState(() => writtenRange(range, zone));
  const [refused, setRefused] = useState(false);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    const parsed = parseTyped(text, serverNow(), zone);
    if (parsed === undefined) setRefused(true);
    else onChoose(parsed);
  };
  return (
    <form onSubmit={submit}>
      <label htmlFor={id}>{t("time.typed")}</label>
      <input
        id={id}
        ref={(node) => {
          if (node !== null && document.activeElement?.closest("form") !== node.form) node.focus();
        }}
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
  );
}

/** All zones that the browser knows, that of the browser and UTC first. */
function ZoneChoice() {
  const t = useT();
  const { zone } = usePreferences();
  const own = Intl.DateTimeFormat().resolvedOptions().timeZone;
  const [names] = useState(() => Intl.supportedValuesOf("timeZone").filter((name) => name !== "UTC"));
  return (
    <div className={styles.zone}>
      <Select
        label={t("time.zone")}
        value={zone}
        options={[
          { value: "system", label: t("time.zoneOfBrowser", { zone: own }) },
          { value: "UTC", label: "UTC" },
          ...names.map((name) => ({ value: name, label: name })),
        ]}
        onChange={(value) => setPreference("zone", value)}
      />
    </div>
  );
}
