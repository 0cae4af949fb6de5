/** What codec, loss and delay take from the rating of a call, as one bar: what is left stands first. */
import type { VoicePath } from "~/api/schema";
import { useT } from "~/i18n";
import { useFormat } from "~/prefs/use-format";
import { Swatch } from "./detail/parts";
import styles from "./voice.module.css";
import { factorColours, factors, sharesOf } from "./voice-ways";

const leftColour = "var(--ok)";

export function FactorsBar({ path, best }: { path: VoicePath; best: number }) {
  const t = useT();
  const format = useFormat();
  const { left, shares } = sharesOf(path, best);
  const text = [
    `${t("voice.r")} ${format.fixed(path.voice.r_factor, 1)}`,
    ...shares.map(({ factor, taken }) => `${t(`voice.factor.${factor}`)} −${format.fixed(taken, 1)}`),
  ].join(", ");
  return (
    <span role="img" className={styles.bar} aria-label={text} title={text}>
      <i style={{ width: `${left * 100}%`, background: leftColour }} />
      {shares.map(({ factor, share }) => (
        <i key={factor} style={{ width: `${share * 100}%`, background: factorColours[factor] }} />
      ))}
    </span>
  );
}

/** Which colour says what. */
export function FactorsLegend({ best }: { best: number }) {
  const t = useT();
  const format = useFormat();
  return (
    <ul className={styles.legend} aria-label={t("chart.legend")}>
      <li>
        <Swatch colour={leftColour} /> {t("voice.left", { best: format.fixed(best, 1) })}
      </li>
      {factors.map((factor) => (
        <li key={factor}>
          <Swatch colour={factorColours[factor]} /> {t(`voice.factor.${factor}`)}
        </li>
      ))}
      <li>≈ {t("voice.estimate")}</li>
    </ul>
  );
}
