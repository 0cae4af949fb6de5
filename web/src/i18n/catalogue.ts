/** What a message is, and how it becomes text: placeholders `{name}`, and plural forms chosen by `{n}`. */
import { count } from "~/lib/format";

/** A text, or one for each plural form of the language (CLDR categories that English and German use). */
export type Message = string | { readonly one: string; readonly other: string };

export type Values = Readonly<Record<string, string | number>>;

const rules = new Map<string, Intl.PluralRules>();

/** Numbers are written in the language's way; texts are put in as they are. */
export function fill(message: Message, values: Values, locale: string): string {
  return template(message, values, locale).replace(/\{(\w+)\}/g, (placeholder, name: string) => {
    const value = values[name];
    if (value === undefined) return placeholder;
    return typeof value === "number" ? count(value, locale) : value;
  });
}

/** The text of the right plural form, placeholders still in it. */
export function template(message: Message, values: Values, locale: string): string {
  if (typeof message === "string") return message;
  return message[pluralRules(locale).select(Number(values.n ?? 0)) === "one" ? "one" : "other"];
}

function pluralRules(locale: string): Intl.PluralRules {
  let found = rules.get(locale);
  if (found === undefined) {
    found = new Intl.PluralRules(locale);
    rules.set(locale, found);
  }
  return found;
}
