/** Another agent: through which of its addresses it is reached. */
import type { AgentReach } from "~/api/schema";
import { useT } from "~/i18n";
import { useFormat } from "~/prefs/use-format";
import { Mark } from "~/ui/controls";
import { MiniTable, seconds, Wire } from "./parts";

export function ReachDetail({ detail }: { detail: AgentReach }) {
  const t = useT();
  const format = useFormat();
  return (
    <MiniTable
      label={t("agents.addresses")}
      head={[t("probe.address"), t("column.state"), `>${t("probe.median")}`, t("probe.answeredBy")]}
      rows={detail.tried.map(({ address, rtt, reflector }) => ({
        key: address,
        cells: [
          <Wire key="address">{address}</Wire>,
          <Mark key="state" status={rtt == null ? "critical" : address === detail.address ? "ok" : "silent"}>
            {t(rtt == null ? "probe.noAnswer" : address === detail.address ? "probe.chosen" : "probe.notChosen")}
          </Mark>,
          seconds(rtt, format),
          rtt == null ? "–" : t(reflector ? "agents.reflector" : "probe.byPing"),
        ],
      }))}
    />
  );
}
