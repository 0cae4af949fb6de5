/** What a person chooses: how it looks, in which units, language and zone, and the end of the session. */
import { useQuery } from "@tanstack/react-query";
import { sessionQuery } from "~/api/queries";
import { useT } from "~/i18n";
import { type Preferences, setPreference, usePreferences } from "~/prefs/preferences";
import { useFormat } from "~/prefs/use-format";
import { signOut } from "~/session/session";
import { Button, Segmented } from "~/ui/controls";
import { Hint, Section } from "~/ui/page";
import { Row } from "./row";
import styles from "./settings.module.css";
import { SettingsFrame } from "./settings-frame";
import { ZoneRow } from "./zone-row";

/** An octet rate to show what the units look like. */
const example = 1_562_500;

export function SettingsPage() {
  const t = useT();
  const format = useFormat();
  return (
    <SettingsFrame page="settings" number={<Hint>{t("settings.hint")}</Hint>}>
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
          <ZoneRow />
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
    </SettingsFrame>
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
  const expires = data?.expires;
  return (
    <Row
      title={data?.user == null ? t("settings.signedIn") : t("settings.signedInAs", { name: data.user.name })}
      text={expires == null ? t("settings.noEnd") : t("settings.ends", { time: format.moment(Date.parse(expires)) })}
    >
      <Button onClick={() => void signOut()}>{t("settings.signOut")}</Button>
    </Row>
  );
}
