/** What a person chooses: how it looks, in which units and language, and the end of the session. */
import { useQuery } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { api, done } from "~/api/client";
import { sessionQuery } from "~/api/queries";
import { queryClient, stream } from "~/app/services";
import { useT } from "~/i18n";
import { type Preferences, setPreference, usePreferences } from "~/prefs/preferences";
import { useFormat } from "~/prefs/use-format";
import { Button, Segmented } from "~/ui/controls";
import { Hint, Page, Section } from "~/ui/page";
import styles from "./settings.module.css";

/** An octet rate to show what the units look like. */
const example = 1_562_500;

export function SettingsPage() {
  const t = useT();
  const format = useFormat();
  return (
    <Page title={t("page.settings")} number={<Hint>{t("settings.hint")}</Hint>}>
      <div className={styles.rows}>
        <Section title={t("settings.appearance")}>
          <Choice
            name="theme"
            title={t("settings.theme")}
            options={["system", "light", "dark"]}
            label={(v) => t(`theme.${v}`)}
          />
          <Choice
            name="rows"
            title={t("settings.rows")}
            options={["compact", "comfortable"]}
            label={(v) => t(`rows.${v}`)}
          />
          <Choice
            name="language"
            title={t("settings.language")}
            options={["system", "en", "de"]}
            label={(v) => (v === "system" ? t("language.system") : t(`language.${v}`))}
          />
        </Section>
        <Section
          title={t("settings.units")}
          hint={t("settings.example", { rate: format.rate(example), volume: format.volume(example) })}
        >
          <Choice
            name="rates"
            title={t("settings.rates")}
            text={t("settings.ratesText")}
            options={["bits", "bytes"]}
            label={(v) => t(`rates.${v}`)}
          />
          <Choice
            name="prefixes"
            title={t("settings.prefixes")}
            text={t("settings.prefixesText")}
            options={["si", "iec"]}
            label={(v) => t(`prefixes.${v}`)}
          />
        </Section>
        <Section title={t("settings.session")}>
          <SessionRow />
        </Section>
      </div>
    </Page>
  );
}

type ChoiceProps<K extends keyof Preferences> = {
  name: K;
  title: string;
  text?: string;
  options: readonly Preferences[K][];
  label: (value: Preferences[K]) => string;
};

function Choice<K extends keyof Preferences>({ name, title, text, options, label }: ChoiceProps<K>) {
  const value = usePreferences()[name];
  return (
    <Row title={title} text={text}>
      <Segmented<Preferences[K]>
        label={title}
        value={value}
        options={options.map((option) => ({ value: option, label: label(option) }))}
        onChange={(next) => setPreference(name, next)}
      />
    </Row>
  );
}

function SessionRow() {
  const t = useT();
  const format = useFormat();
  const { data } = useQuery(sessionQuery);
  const signOut = async () => {
    await done(api.DELETE("/api/v1/session"));
    stream.stop();
    await queryClient.resetQueries({ queryKey: sessionQuery.queryKey });
  };
  const expires = data?.expires;
  return (
    <Row
      title={t("settings.signedIn")}
      text={expires == null ? t("settings.noEnd") : t("settings.ends", { time: format.moment(Date.parse(expires)) })}
    >
      <Button onClick={() => void signOut()}>{t("settings.signOut")}</Button>
    </Row>
  );
}

function Row({ title, text, children }: { title: string; text?: string | undefined; children: ReactNode }) {
  return (
    <div className={styles.row}>
      <div>
        {title}
        {text !== undefined && <p>{text}</p>}
      </div>
      {children}
    </div>
  );
}
