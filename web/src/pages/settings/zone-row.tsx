/** The zone in which all times are shown and typed: that of the browser, UTC, or any that the browser knows. */
import { useEffect, useId, useState } from "react";
import { useT } from "~/i18n";
import { setPreference, usePreferences } from "~/prefs/preferences";
import { useFormat } from "~/prefs/use-format";
import { serverNow } from "~/time/clock";
import { isZone } from "~/time/zone";
import { Segmented } from "~/ui/controls";
import { Row } from "./row";
import styles from "./settings.module.css";

const zones: readonly string[] = Intl.supportedValuesOf("timeZone");
/** What a name of a zone looks like; the same in every language. */
const example = "Europe/Vienna";
const browserZone = Intl.DateTimeFormat().resolvedOptions().timeZone;

type Kind = "system" | "utc" | "other";

function kindOf(zone: string): Kind {
  if (zone === "system") return "system";
  return zone === "UTC" ? "utc" : "other";
}

export function ZoneRow() {
  const t = useT();
  const { zone } = usePreferences();
  const [kind, setKind] = useState(kindOf(zone));
  useEffect(() => setKind(kindOf(zone)), [zone]);
  const choose = (next: Kind) => {
    setKind(next);
    if (next !== "other") setPreference("zone", next === "utc" ? "UTC" : "system");
  };
  return (
    <Row title={t("settings.zone")} text={<Now />}>
      <Segmented
        label={t("settings.zone")}
        value={kind}
        options={[
          { value: "system", label: t("zone.system", { zone: browserZone }) },
          { value: "utc", label: t("zone.utc") },
          { value: "other", label: t("zone.other") },
        ]}
        onChange={choose}
      />
      {kind === "other" && <ZoneField zone={zone} />}
    </Row>
  );
}

/** A name with completion; it is taken as soon as it is one. */
function ZoneField({ zone }: { zone: string }) {
  const t = useT();
  const id = useId();
  const [text, setText] = useState(kindOf(zone) === "other" ? zone : "");
  const known = text === "" || isZone(text);
  return (
    <>
      <input
        className={styles.field}
        list={id}
        aria-label={t("zone.name")}
        aria-invalid={!known}
        placeholder={example}
        autoComplete="off"
        spellCheck={false}
        value={text}
        onChange={(event) => {
          const next = event.target.value.trim();
          setText(next);
          if (next.includes("/") && isZone(next)) setPreference("zone", next);
        }}
      />
      <datalist id={id}>
        {zones.map((name) => (
          <option key={name} value={name} />
        ))}
      </datalist>
    </>
  );
}

/** What a clock shows there. */
function Now() {
  const t = useT();
  const format = useFormat();
  const [now, setNow] = useState(serverNow);
  useEffect(() => {
    const timer = setInterval(() => setNow(serverNow()), 1000);
    return () => clearInterval(timer);
  }, []);
  return t("zone.now", { time: format.moment(now) });
}
