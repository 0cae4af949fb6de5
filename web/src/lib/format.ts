/**
 * Numbers as people read them: three significant figures, a prefix where it helps, the unit by choice.
 *
 * Rates come in octets a second, volumes in octets, durations in seconds. Tables put the unit into the header and only the
 * prefix into the cell (`quantity`); running text carries both (`rate`, `volume`).
 */
export type UnitChoice = { rates: "bits" | "bytes"; prefixes: "si" | "iec"; locale: string };

const prefixes = {
  si: { base: 1000, names: ["", "k", "M", "G", "T", "P", "E"] },
  iec: { base: 1024, names: ["", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei"] },
} as const;

/** Figures and prefix of a number without its unit: `12.3 M`. */
export function quantity(value: number, choice: Pick<UnitChoice, "prefixes" | "locale">): string {
  const { figures, prefix } = scaled(value, choice);
  return prefix === "" ? figures : `${figures} ${prefix}`;
}

/** Octets a second as `12.3 Mbit/s` or `1.54 MB/s`. */
export function rate(octetsPerSecond: number, choice: UnitChoice): string {
  const { figures, prefix } = scaled(rateValue(octetsPerSecond, choice), choice);
  return `${figures} ${prefix}${rateUnit(choice)}`;
}

/** Octets a second in the unit that was chosen. */
export function rateValue(octetsPerSecond: number, choice: Pick<UnitChoice, "rates">): number {
  return choice.rates === "bits" ? octetsPerSecond * 8 : octetsPerSecond;
}

export function rateUnit(choice: Pick<UnitChoice, "rates">): string {
  return choice.rates === "bits" ? "bit/s" : "B/s";
}

/** Octets as `1.54 MB`. */
export function volume(octets: number, choice: Pick<UnitChoice, "prefixes" | "locale">): string {
  const { figures, prefix } = scaled(octets, choice);
  return `${figures} ${prefix}B`;
}

/** A whole number with separators: counts of which each one matters. */
export function count(value: number, locale: string): string {
  return formatter(locale, "whole").format(value);
}

/** A count of which the size matters: whole up to 9 999, then `12.3 k`. */
export function roughCount(value: number, locale: string): string {
  return value < 10_000 ? count(value, locale) : quantity(value, { prefixes: "si", locale });
}

/** A share as `4.56 %`; a share that is not zero never reads as zero. */
export function percent(part: number, whole: number, locale: string): string {
  if (whole <= 0) return "–";
  const value = (part / whole) * 100;
  if (value > 0 && value < 0.01) return `< ${formatter(locale, "hundredths").format(0.01)} %`;
  if (value === 100 || value === 0) return `${value} %`;
  return `${value < 1 ? formatter(locale, "hundredths").format(value) : figuresOf(value, locale)} %`;
}

/** Seconds as `340 µs`, `12.3 ms`, `4.56 s`, `3 min 20 s`, `2 h 5 min`, `3 d 4 h`. */
export function duration(seconds: number, locale: string): string {
  if (!Number.isFinite(seconds) || seconds < 0) return "–";
  if (seconds === 0) return "0 s";
  if (seconds < 0.001) return `${figuresOf(seconds * 1e6, locale)} µs`;
  if (seconds < 0.9995) return `${figuresOf(seconds * 1e3, locale)} ms`;
  if (Number.isInteger(seconds) && seconds < 60) return `${seconds} s`;
  if (seconds < 59.95) return `${figuresOf(seconds, locale)} s`;
  const whole = Math.round(seconds);
  if (whole < 3600) return pairOf(Math.floor(whole / 60), "min", whole % 60, "s");
  if (whole < 86_400) return pairOf(Math.floor(whole / 3600), "h", Math.floor((whole % 3600) / 60), "min");
  return pairOf(Math.floor(whole / 86_400), "d", Math.floor((whole % 86_400) / 3600), "h");
}

/** The same with a minus before what is less than zero. */
export function signedDuration(seconds: number, locale: string): string {
  return seconds < 0 ? `−${duration(-seconds, locale)}` : duration(seconds, locale);
}

/** Three significant figures in the writing of the locale, without a prefix. */
export function figuresOf(value: number, locale: string): string {
  return formatter(locale, Math.abs(value) >= 99.95 ? "whole" : "figures").format(value);
}

/** A number with so many places after the point, always: scores that are compared. */
export function fixed(value: number, places: 1 | 2, locale: string): string {
  return formatter(locale, places === 1 ? "onePlace" : "twoPlaces").format(value);
}

function scaled(value: number, choice: Pick<UnitChoice, "prefixes" | "locale">): { figures: string; prefix: string } {
  const { base, names } = prefixes[choice.prefixes];
  let scaledValue = Math.abs(value);
  let index = 0;
  // 999.5 would be written as 1000: it belongs to the next prefix. Binary prefixes keep up to 1023.
  while (scaledValue >= (base === 1000 ? 999.5 : 1023.5) && index < names.length - 1) {
    scaledValue /= base;
    index += 1;
  }
  const signed = value < 0 ? -scaledValue : scaledValue;
  const whole = index === 0 && Number.isInteger(signed);
  const figures = whole ? formatter(choice.locale, "whole").format(signed) : figuresOf(signed, choice.locale);
  return { figures, prefix: names[index] ?? "" };
}

function pairOf(large: number, largeUnit: string, small: number, smallUnit: string): string {
  return small === 0 ? `${large} ${largeUnit}` : `${large} ${largeUnit} ${small} ${smallUnit}`;
}

const formatters = new Map<string, Intl.NumberFormat>();

const styles = {
  whole: { maximumFractionDigits: 0 },
  figures: { minimumSignificantDigits: 3, maximumSignificantDigits: 3 },
  hundredths: { maximumFractionDigits: 2 },
  onePlace: { minimumFractionDigits: 1, maximumFractionDigits: 1 },
  twoPlaces: { minimumFractionDigits: 2, maximumFractionDigits: 2 },
} as const satisfies Record<string, Intl.NumberFormatOptions>;

function formatter(locale: string, kind: keyof typeof styles): Intl.NumberFormat {
  const key = `${locale}/${kind}`;
  let found = formatters.get(key);
  if (found === undefined) {
    found = new Intl.NumberFormat(locale, styles[kind]);
    formatters.set(key, found);
  }
  return found;
}
