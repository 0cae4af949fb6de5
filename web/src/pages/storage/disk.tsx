/** The disk as a bar with its two marks, and the forecast. */
import type { Storage } from "~/api/schema";
import { useT } from "~/i18n";
import { useFormat } from "~/prefs/use-format";
import { serverNow } from "~/time/clock";
import { Mark } from "~/ui/controls";
import { Facts } from "~/ui/page";
import { settledBytes, sharesOf, totalsOf } from "./forecast";
import styles from "./storage.module.css";

/** Seconds before which a full disk is critical: two weeks. */
const soon = 14 * 86_400;

export function Disk({ storage }: { storage: Storage }) {
  const t = useT();
  const format = useFormat();
  const { store, others, free } = sharesOf(storage);
  const { bytes, bytesPerDay } = totalsOf(storage.kinds);
  const settled = settledBytes(storage.kinds);
  const percent = (share: number) => format.percent(share, 1);
  return (
    <>
      <div
        className={styles.disk}
        role="img"
        aria-label={t("storage.diskIs", { store: percent(store), others: percent(others), free: percent(free) })}
      >
        <span data-part="store" style={{ width: `${store * 100}%` }} />
        <span data-part="others" style={{ width: `${others * 100}%` }} />
      </div>
      <ul className={styles.legend}>
        <li data-part="store">{`${t("storage.store")} ${format.volume(bytes)}`}</li>
        <li data-part="others">{`${t("storage.others")} ${format.volume(others * storage.disk_total)}`}</li>
        <li data-part="free">{`${t("storage.free")} ${format.volume(storage.disk_free)} (${percent(free)})`}</li>
      </ul>
      <Facts
        items={[
          [t("storage.total"), format.volume(storage.disk_total)],
          [
            t("storage.growth"),
            bytesPerDay === undefined
              ? t("storage.notYet")
              : t("storage.perDay", { volume: format.volume(bytesPerDay) }),
          ],
          [t("storage.forecast"), <Forecast key="forecast" storage={storage} known={bytesPerDay !== undefined} />],
          settled !== undefined && [t("storage.settles"), format.volume(settled)],
        ]}
      />
    </>
  );
}

function Forecast({ storage, known }: { storage: Storage; known: boolean }) {
  const t = useT();
  const format = useFormat();
  const seconds = storage.full_in_seconds;
  if (seconds != null) {
    const date = format.moment(serverNow() + seconds * 1000);
    return (
      <span data-read="forecast">
        <Mark status={seconds < soon ? "critical" : "warning"}>
          {t("storage.fullIn", { duration: format.duration(Math.round(seconds)) })}
        </Mark>{" "}
        {t("storage.fullOn", { date })}
      </span>
    );
  }
  return <span data-read="forecast">{known ? t("storage.neverFull") : t("storage.notYet")}</span>;
}
