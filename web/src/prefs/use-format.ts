/** The formatters with the reader's units and language filled in. */
import { useMemo } from "react";
import { useLocale } from "~/i18n";
import * as format from "~/lib/format";
import type { Zone } from "~/time/zone";
import { usePreferences } from "./preferences";
import { useZone } from "./use-zone";

export type Format = ReturnType<typeof bind>;

export function useFormat(): Format {
  const { rates, prefixes } = usePreferences();
  const locale = useLocale();
  const zone = useZone();
  return useMemo(() => bind({ rates, prefixes, locale }, zone), [rates, prefixes, locale, zone]);
}

function bind(choice: format.UnitChoice, zone: Zone) {
  const { locale } = choice;
  const timeZone = zone === undefined ? {} : { timeZone: zone };
  const clock = new Intl.DateTimeFormat(locale, {
    ...timeZone,
    hour: "2-digit",
    minute: "2-digit",
    second: "2-digit",
    hourCycle: "h23",
  });
  const day = new Intl.DateTimeFormat(locale, { ...timeZone, month: "short", day: "numeric" });
  const date = new Intl.DateTimeFormat(locale, { ...timeZone, dateStyle: "medium" });
  const dateTime = new Intl.DateTimeFormat(locale, { ...timeZone, dateStyle: "medium", timeStyle: "medium" });
  const full = new Intl.DateTimeFormat(locale, {
    ...timeZone,
    dateStyle: "medium",
    timeStyle: "long",
  });
  return {
    choice,
    /** `12.3 Mbit/s` */
    rate: (octetsPerSecond: number) => format.rate(octetsPerSecond, choice),
    /** `12.3 M`: for columns with the unit in the header. */
    rateFigures: (octetsPerSecond: number) => format.quantity(format.rateValue(octetsPerSecond, choice), choice),
    rateUnit: format.rateUnit(choice),
    volume: (octets: number) => format.volume(octets, choice),
    quantity: (value: number) => format.quantity(value, choice),
    count: (value: number) => format.count(value, locale),
    roughCount: (value: number) => format.roughCount(value, locale),
    percent: (part: number, whole: number) => format.percent(part, whole, locale),
    duration: (seconds: number) => format.duration(seconds, locale),
    /** Seconds with their sign: offsets, and times that are over. */
    signedDuration: (seconds: number) => format.signedDuration(seconds, locale),
    /** A score with its places, whatever they are: `4.30`. */
    fixed: (value: number, places: 1 | 2) => format.fixed(value, places, locale),
    /** A number as it is, in the writing of the language. */
    plain: (value: number) => value.toLocaleString(locale, { maximumFractionDigits: 6 }),
    /** Time of day of a moment in milliseconds. */
    clock: (moment: number) => clock.format(moment),
    /** Month and day of a moment in milliseconds. */
    day: (moment: number) => day.format(moment),
    /** `21 Nov 2026`. */
    date: (moment: number) => date.format(moment),
    /** Date and time of day, without the zone. */
    dateTime: (moment: number) => dateTime.format(moment),
    /** Date, time and zone. */
    moment: (moment: number) => full.format(moment),
  };
}
