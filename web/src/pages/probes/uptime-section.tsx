/** How long one probe was up: the period and its parts, what is left of its objective, its agents and its outages. */
import { useQuery } from "@tanstack/react-query";
import { uptimeQuery } from "~/api/probes";
import type { Probe, Uptime } from "~/api/schema";
import { useLocale, useT } from "~/i18n";
import { useFormat } from "~/prefs/use-format";
import { Mark } from "~/ui/controls";
import { ProblemBox, Skeleton } from "~/ui/feedback";
import { Section } from "~/ui/page";
import { MiniTable } from "./detail/parts";
import { Budget, PeriodChoice } from "./uptime";
import styles from "./uptime.module.css";
import { UptimeBars, UptimeLegend } from "./uptime-bars";
import { availabilityText } from "./uptime-state";
import { useQuestion } from "./use-uptime";

const refresh = 60_000;
/** Outages that are listed. */
const most = 20;

export function UptimeSection({ probe }: { probe: Probe }) {
  const t = useT();
  const query = useQuery({ ...uptimeQuery(probe.id, useQuestion()), refetchInterval: refresh });
  const { data, error, refetch } = query;
  return (
    <Section title={t("page.uptime")}>
      <div className={styles.filters}>
        <PeriodChoice told={data} />
      </div>
      {data !== undefined ? (
        <Told uptime={data} />
      ) : error !== null ? (
        <ProblemBox error={error} subject={t("page.uptime")} onRetry={() => void refetch()} />
      ) : (
        <Skeleton height={120} />
      )}
    </Section>
  );
}

function Told({ uptime }: { uptime: Uptime }) {
  const t = useT();
  const format = useFormat();
  const locale = useLocale();
  const { total, budget } = uptime;
  const share = availabilityText(total.availability, locale);
  const numbers = [
    [t("uptime.availability"), share],
    ...(["up", "degraded", "down", "maintenance", "unknown"] as const).map((state) => [
      t(`uptime.${state}`),
      total[state] === 0 ? "–" : format.duration(total[state]),
    ]),
    ...(total.maintenance_down > 0 ? [[t("uptime.maintenanceDown"), format.duration(total.maintenance_down)]] : []),
  ] as const;
  return (
    <>
      <dl className={styles.numbers} data-read="uptime">
        {numbers.map(([name, value]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{value}</dd>
          </div>
        ))}
        {budget != null && (
          <div>
            <dt>{t("uptime.budgetLeft")}</dt>
            <dd>
              <Budget uptime={uptime} />
            </dd>
          </div>
        )}
      </dl>
      <UptimeBars wide parts={uptime.parts} label={t("uptime.courseOf", { name: uptime.name, share })} />
      <UptimeLegend />
      {uptime.agents.length > 1 && <Agents uptime={uptime} />}
      {uptime.outages.length > 0 && <Outages uptime={uptime} />}
    </>
  );
}

/** Each agent for itself: what one sees alone is no outage. */
function Agents({ uptime }: { uptime: Uptime }) {
  const t = useT();
  const format = useFormat();
  const locale = useLocale();
  return (
    <MiniTable
      label={t("uptime.agents")}
      head={[t("probe.agent"), `>${t("uptime.availability")}`, `>${t("uptime.down")}`, `>${t("uptime.unknown")}`]}
      rows={uptime.agents.map(({ agent, seconds }) => ({
        key: agent,
        cells: [
          <span key="agent" className="mono">
            {agent}
          </span>,
          availabilityText(seconds.availability, locale),
          format.duration(seconds.down),
          format.duration(seconds.unknown),
        ],
      }))}
    />
  );
}

function Outages({ uptime }: { uptime: Uptime }) {
  const t = useT();
  const format = useFormat();
  const goesOn = (to: string) => to === uptime.to && uptime.to !== uptime.until;
  return (
    <MiniTable
      label={t("uptime.outages")}
      head={[t("uptime.outageFrom"), t("uptime.outageTo"), `>${t("uptime.outageFor")}`, t("uptime.maintenance")]}
      rows={uptime.outages.slice(0, most).map(({ from, to, maintenance }) => ({
        key: from,
        cells: [
          format.dateTime(Date.parse(from)),
          goesOn(to) ? (
            <Mark key="to" status="critical">
              {t("uptime.goesOn")}
            </Mark>
          ) : (
            format.dateTime(Date.parse(to))
          ),
          format.duration((Date.parse(to) - Date.parse(from)) / 1000),
          maintenance ? t("flow.yes") : "–",
        ],
      }))}
    />
  );
}
