/**
 * The language of the app. English is part of the main bundle; other languages are loaded when they are chosen.
 *
 * Keys are typed: a text that is not in the catalogue does not compile, and neither does a catalogue that lacks one.
 */
import { createContext, Fragment, type ReactNode, useContext, useEffect, useMemo, useState } from "react";
import { preferences, usePreferences } from "~/prefs/preferences";
import { fill, type Message, template, type Values } from "./catalogue";
import { type Catalogue, en, type Key } from "./en";

export type { Key } from "./en";
export type Translate = (key: Key, values?: Values) => string;
export type Language = "en" | "de";

type Loaded = { language: Language; catalogue: Catalogue };

const loaders: Record<Language, () => Promise<Catalogue>> = {
  en: () => Promise.resolve(en),
  de: () => import("./de").then((module) => module.de),
};

const LanguageContext = createContext<Loaded>({ language: "en", catalogue: en });

/** The language to begin with, loaded before the first render so that no text changes under the reader. */
export async function loadLanguage(): Promise<Loaded> {
  const language = languageOf(preferences().language);
  return { language, catalogue: await loaders[language]() };
}

export function LanguageProvider({ initial, children }: { initial: Loaded; children: ReactNode }) {
  const wanted = languageOf(usePreferences().language);
  const [loaded, setLoaded] = useState(initial);
  useEffect(() => {
    let current = true;
    loaders[wanted]().then((catalogue) => {
      if (current) setLoaded({ language: wanted, catalogue });
    });
    return () => {
      current = false;
    };
  }, [wanted]);
  useEffect(() => {
    document.documentElement.lang = loaded.language;
  }, [loaded.language]);
  return <LanguageContext value={loaded}>{children}</LanguageContext>;
}

export function useLocale(): Language {
  return useContext(LanguageContext).language;
}

export function useT(): Translate {
  const { catalogue, language } = useContext(LanguageContext);
  return useMemo(() => (key, values) => fill(catalogue[key], values ?? {}, language), [catalogue, language]);
}

/** A text with elements in its placeholders: `<Rich id="…" values={{ command: <code>…</code> }} />`. */
export function Rich({ id, values, n }: { id: Key; values: Readonly<Record<string, ReactNode>>; n?: number }) {
  const { catalogue, language } = useContext(LanguageContext);
  const parts = template(catalogue[id] as Message, n === undefined ? {} : { n }, language).split(/\{(\w+)\}/);
  return parts.map((part, i) => {
    const content = i % 2 === 1 ? (values[part] ?? (part === "n" ? n : null)) : part;
    // biome-ignore lint/suspicious/noArrayIndexKey: the parts of a text have no other identity, and never move
    return <Fragment key={i}>{content}</Fragment>;
  });
}

function languageOf(choice: "system" | Language): Language {
  if (choice !== "system") return choice;
  return navigator.language.toLowerCase().startsWith("de") ? "de" : "en";
}
