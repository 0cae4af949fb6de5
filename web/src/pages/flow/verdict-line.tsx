/** The verdict in words, with the numbers that it stands on. */
import type { Flow } from "~/api/schema";
import { type Translate, useT } from "~/i18n";
import { type Finding, verdictOf } from "~/lib/verdict";
import { type Format, useFormat } from "~/prefs/use-format";
import { Mark } from "~/ui/controls";
import styles from "./flow.module.css";

export function VerdictLine({ flow }: { flow: Flow }) {
  const t = useT();
  const format = useFormat();
  const verdict = verdictOf(flow);
  if (verdict === undefined) return null;
  const status = {
    neither: "ok",
    unknown: "unknown",
    network: "warning",
    application: "warning",
    both: "warning",
  } as const;
  return (
    <div className={styles.verdict} data-blame={verdict.blame}>
      <Mark status={status[verdict.blame]}>
        <strong>{t(`verdict.${verdict.blame}`)}</strong>
      </Mark>
      {verdict.findings.length > 0 ? (
        <ul>
          {verdict.findings.map((finding) => (
            <li key={`${finding.kind}${"side" in finding ? finding.side : ""}`}>{sentence(finding, t, format)}</li>
          ))}
        </ul>
      ) : (
        <p>{t(verdict.blame === "neither" ? "verdict.neitherText" : "verdict.unknownText")}</p>
      )}
    </div>
  );
}

function sentence(finding: Finding, t: Translate, format: Format): string {
  switch (finding.kind) {
    case "refused":
    case "unanswered":
    case "reset":
      return t(`finding.${finding.kind}`);
    case "loss":
      return t(`finding.loss.${finding.side}`, {
        n: finding.retransmitted,
        packets: finding.packets,
        share: format.percent(finding.retransmitted, finding.packets),
      });
    case "latency":
      return t(`finding.latency.${finding.side}`, { time: format.duration(finding.seconds) });
    case "response":
      return finding.roundTrip === undefined
        ? t("finding.response", { time: format.duration(finding.seconds) })
        : t("finding.responseOver", {
            time: format.duration(finding.seconds),
            trip: format.duration(finding.roundTrip),
          });
    case "window":
      return t(`finding.window.${finding.side}`, { n: finding.count });
  }
}
