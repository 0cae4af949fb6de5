/** What an agent reads of its own host: processor, memory, disks, and its network with the address that others see. */
import { useQuery } from "@tanstack/react-query";
import { Link, useSearch } from "@tanstack/react-router";
import type { ReactNode } from "react";
import { agentInformationQuery } from "~/api/agents";
import type { Agent, NetworkInformation, SystemInformation } from "~/api/schema";
import type { AppSearch } from "~/app/search";
import { useT } from "~/i18n";
import { paths } from "~/lib/paths";
import { useFormat } from "~/prefs/use-format";
import { Mark } from "~/ui/controls";
import { ProblemBox, Skeleton } from "~/ui/feedback";
import { Moment } from "~/ui/moment";
import { Facts, Hint, Section } from "~/ui/page";
import { MiniTable, Wire } from "../probes/detail/parts";
import styles from "./agents.module.css";
import { Meter } from "./meter";

/** Milliseconds; the host is read each minute. */
const refresh = 30_000;
/** Routes that are listed; the rest is counted. */
const mostRoutes = 20;

export function Information({ agent }: { agent: Agent }) {
  const t = useT();
  const { data, error, refetch } = useQuery({ ...agentInformationQuery(agent.id), refetchInterval: refresh });
  if (data === undefined) {
    return (
      <Section title={t("agents.system")}>
        {error === null ? (
          <Skeleton height={160} />
        ) : (
          <ProblemBox error={error} subject={t("agents.system")} onRetry={() => void refetch()} />
        )}
      </Section>
    );
  }
  const { system, network } = data;
  return (
    <>
      <div className={styles.halves}>
        <Section title={t("agents.system")} hint={system != null && <SeriesLink agent={agent.id} />}>
          {system == null ? <Hint>{t("agents.noSystem")}</Hint> : <System system={system} />}
        </Section>
        <Section title={t("agents.network")}>
          {network == null ? <Hint>{t("agents.noNetwork")}</Hint> : <Network network={network} />}
        </Section>
      </div>
      {(system != null || network != null) && (
        <div className={styles.halves}>
          {system != null && <Disks disks={system.disks} />}
          {network != null && <Interfaces network={network} carried={system?.interfaces ?? []} />}
        </div>
      )}
      {network != null && network.routes.length > 0 && <Routes network={network} />}
    </>
  );
}

function SeriesLink({ agent }: { agent: string }) {
  const t = useT();
  const search = useSearch({ strict: false }) as AppSearch;
  return (
    <Link {...paths.series(search, { metric: "host_cpu_busy_ratio", labels: `agent=${agent}` })}>
      {t("agents.overTime")}
    </Link>
  );
}

function System({ system }: { system: SystemInformation }) {
  const t = useT();
  const format = useFormat();
  const { cpu, memory } = system;
  const used = memory.total - memory.available;
  return (
    <Facts
      items={[
        [t("agents.os"), <Both key="os" first={system.os} then={`${system.kernel} · ${system.arch}`} />],
        [t("agents.container"), system.container ?? t("agents.noContainer")],
        [t("agents.boot"), <Started key="boot" system={system} />],
        [
          t("agents.cpu"),
          <span key="cpu" className={styles.meter}>
            {cpu.busy != null && <Meter share={cpu.busy} label={t("agents.cpu")} />}
            <span>
              {t("agents.cpuOf", { n: cpu.logical })} <Hint>{cpu.model}</Hint>
            </span>
          </span>,
        ],
        [t("agents.load"), cpu.load.map((one) => format.plain(Math.round(one * 100) / 100)).join(" · ")],
        [
          t("agents.memory"),
          <span key="memory" className={styles.meter}>
            <Meter share={memory.total > 0 ? used / memory.total : 0} label={t("agents.memory")} />
            {t("agents.usedOf", { used: format.volume(used), total: format.volume(memory.total) })}
          </span>,
        ],
        memory.swap_total > 0 && [
          t("agents.swap"),
          <span key="swap" className={styles.meter}>
            <Meter share={memory.swap_used / memory.swap_total} label={t("agents.swap")} />
            {t("agents.usedOf", { used: format.volume(memory.swap_used), total: format.volume(memory.swap_total) })}
          </span>,
        ],
        [t("agents.processes"), format.count(system.processes)],
      ]}
    />
  );
}

function Started({ system }: { system: SystemInformation }) {
  const format = useFormat();
  return (
    <>
      <Moment time={system.boot_time} /> <Hint>{format.duration(Math.round(system.uptime))}</Hint>
    </>
  );
}

function Both({ first, then }: { first: ReactNode; then: ReactNode }) {
  return (
    <>
      {first} <Hint>{then}</Hint>
    </>
  );
}

function Network({ network }: { network: NetworkInformation }) {
  const t = useT();
  const { public: seen, gateways, resolvers } = network;
  const whose = seen == null ? [] : [seen.asn != null && `AS${seen.asn}`, seen.organisation, seen.country];
  return (
    <Facts
      items={[
        [
          t("agents.public"),
          seen == null ? (
            <Hint key="public">{t("agents.noPublic")}</Hint>
          ) : (
            <span key="public">
              <Wire>{seen.address}</Wire> {seen.name != null && <Hint>{seen.name}</Hint>}
            </span>
          ),
        ],
        whose.some(Boolean) && [t("agents.whose"), whose.filter(Boolean).join(" · ")],
        [
          t("agents.gateways"),
          gateways.length === 0
            ? t("agents.noGateway")
            : gateways.map((one) => (
                <div key={`${one.address} ${one.interface}`}>
                  <Wire>{one.address}</Wire>{" "}
                  <Hint>{t("agents.via", { interface: one.interface, metric: String(one.metric) })}</Hint>
                </div>
              )),
        ],
        [t("agents.resolvers"), <Wire key="resolvers">{resolvers.join(", ")}</Wire>],
      ]}
    />
  );
}

function Disks({ disks }: { disks: SystemInformation["disks"] }) {
  const t = useT();
  const format = useFormat();
  return (
    <Section title={t("agents.disks")}>
      {disks.length === 0 ? (
        <Hint>{t("agents.noDisks")}</Hint>
      ) : (
        <MiniTable
          label={t("agents.disks")}
          head={[
            t("agents.mount"),
            t("agents.fileSystem"),
            t("agents.used"),
            `>${t("agents.free")}`,
            `>${t("agents.size")}`,
          ]}
          rows={disks.map((disk) => ({
            key: `${disk.mount} ${disk.device}`,
            cells: [
              <Wire key="mount">{disk.mount}</Wire>,
              <span key="system" title={disk.device}>
                {disk.file_system}
              </span>,
              <Meter
                key="used"
                share={disk.total > 0 ? (disk.total - disk.available) / disk.total : 0}
                label={disk.mount}
              />,
              format.volume(disk.available),
              format.volume(disk.total),
            ],
          }))}
        />
      )}
    </Section>
  );
}

type InterfacesProps = { network: NetworkInformation; carried: SystemInformation["interfaces"] };

function Interfaces({ network, carried }: InterfacesProps) {
  const t = useT();
  const format = useFormat();
  const of = new Map(carried.map((one) => [one.name, one] as const));
  const volume = (value: number | undefined) => (value === undefined ? "–" : format.volume(value));
  return (
    <Section title={t("health.interfaces")}>
      <MiniTable
        label={t("health.interfaces")}
        head={[
          t("list.name"),
          t("column.state"),
          t("agents.addresses"),
          `>${t("agents.received")}`,
          `>${t("column.sent")}`,
          `>${t("agents.faults")}`,
        ]}
        rows={network.interfaces.map(({ name, up, addresses, mac, mtu, index }) => ({
          key: String(index),
          cells: [
            <span
              key="name"
              className="mono"
              title={[mac, t("agents.mtu", { mtu: String(mtu) })].filter(Boolean).join(" · ")}
            >
              {name}
            </span>,
            <Mark key="state" status={up ? "ok" : "silent"}>
              {t(up ? "agents.up" : "agents.down")}
            </Mark>,
            addresses.length === 0
              ? "–"
              : addresses.map((one) => (
                  <div key={one} className="mono">
                    {one}
                  </div>
                )),
            volume(of.get(name)?.received),
            volume(of.get(name)?.sent),
            of.has(name) ? format.count(of.get(name)?.faults ?? 0) : "–",
          ],
        }))}
      />
    </Section>
  );
}

function Routes({ network: { routes, route_count } }: { network: NetworkInformation }) {
  const t = useT();
  const shown = routes.slice(0, mostRoutes);
  const more = route_count - shown.length;
  return (
    <Section title={t("agents.routes")} hint={more > 0 ? t("probe.more", { n: more }) : undefined}>
      <MiniTable
        label={t("agents.routes")}
        head={[t("agents.destination"), t("agents.gateway"), t("column.interface"), `>${t("agents.metric")}`]}
        rows={shown.map((route) => ({
          key: `${route.destination} ${route.gateway ?? ""} ${route.interface} ${route.metric}`,
          cells: [
            <Wire key="destination">{route.destination}</Wire>,
            route.gateway == null ? (
              <Hint key="gateway">{t("agents.onLink")}</Hint>
            ) : (
              <Wire key="gateway">{route.gateway}</Wire>
            ),
            <Wire key="interface">{route.interface}</Wire>,
            String(route.metric),
          ],
        }))}
      />
    </Section>
  );
}
