/** Kinds that speak with a service: dns, http, tls, mail. */
import type { Banner, Certificate, Dns, DnsServer, Http, HttpHop, Tls, TlsSession } from "~/api/schema";
import { useT } from "~/i18n";
import { useFormat } from "~/prefs/use-format";
import { serverNow } from "~/time/clock";
import { Mark } from "~/ui/controls";
import { Facts, Hint } from "~/ui/page";
import styles from "../probes.module.css";
import { MiniTable, PhaseBar, phaseColours, phases, Swatch, seconds, Wire } from "./parts";

export function HttpDetail({ detail }: { detail: Http }) {
  const t = useT();
  const format = useFormat();
  const whole = (hop: HttpHop) => phases.reduce((sum, phase) => sum + hop.phases[phase], 0);
  const longest = Math.max(0, ...detail.hops.map(whole));
  return (
    <>
      <MiniTable
        label={t("probe.requests")}
        head={[
          t("probe.url"),
          t("probe.status"),
          t("probe.address"),
          ...phases.map((phase) => `>${t(`probe.phase.${phase}`)}`),
          `>${t("column.total")}`,
          t("probe.phases"),
        ]}
        rows={detail.hops.map((hop, i) => ({
          key: `${i} ${hop.url}`,
          cells: [
            <Wire key="url">{hop.url}</Wire>,
            [hop.status, hop.version].filter((one) => one != null).join(" · ") || t("probe.noAnswer"),
            <Wire key="address">{hop.address}</Wire>,
            ...phases.map((phase) => format.duration(hop.phases[phase])),
            format.duration(whole(hop)),
            <PhaseBar key="phases" of={hop.phases} whole={longest} />,
          ],
        }))}
      />
      <p className={styles.legend}>
        {phases.map((phase) => (
          <span key={phase}>
            <Swatch colour={phaseColours[phase]} /> {t(`probe.phase.${phase}`)}
          </span>
        ))}
      </p>
      <Facts
        items={[
          [
            t("probe.body"),
            <span key="body">
              {format.volume(detail.body_octets)} {detail.body_cut && <Hint>{t("probe.bodyCut")}</Hint>}
            </span>,
          ],
          detail.hops.at(-1)?.content_type != null && [
            t("probe.contentType"),
            <Wire key="type">{detail.hops.at(-1)?.content_type}</Wire>,
          ],
          detail.body_hash != null && [t("probe.bodyHash"), <Wire key="hash">{detail.body_hash}</Wire>],
        ]}
      />
      {detail.tls != null && <Session session={detail.tls} />}
    </>
  );
}

export function TlsDetail({ detail }: { detail: Tls }) {
  const t = useT();
  const format = useFormat();
  return (
    <>
      <Facts
        items={[
          detail.lookup != null && [t("probe.lookup"), format.duration(detail.lookup)],
          [t("probe.connect"), seconds(detail.connect, format)],
          detail.session == null && [t("probe.session"), t("probe.noSession")],
        ]}
      />
      {detail.session != null && <Session session={detail.session} />}
    </>
  );
}

const day = 86_400;

/** A session of TLS: what was agreed on, and the chain of certificates. */
function Session({ session }: { session: TlsSession }) {
  const t = useT();
  const format = useFormat();
  const { version, cipher, alpn, handshake, trusted, distrust, expires_in, chain } = session;
  return (
    <>
      <Facts
        items={[
          [t("probe.session"), `${version} · ${cipher}`],
          alpn != null && [t("probe.alpn"), <Wire key="alpn">{alpn}</Wire>],
          [t("probe.handshake"), format.duration(handshake)],
          [
            t("probe.trust"),
            <Mark key="trust" status={trusted ? "ok" : "critical"}>
              {trusted ? t("probe.trusted") : t("probe.distrusted", { reason: distrust ?? "–" })}
            </Mark>,
          ],
          [
            t("probe.expires"),
            <Mark key="expires" status={expires_in <= 0 ? "critical" : expires_in < 14 * day ? "warning" : "ok"}>
              {t(expires_in <= 0 ? "probe.expiredSince" : "probe.expiresIn", {
                duration: format.duration(Math.abs(expires_in)),
              })}
            </Mark>,
          ],
        ]}
      />
      <Chain chain={chain} />
    </>
  );
}

function Chain({ chain }: { chain: readonly Certificate[] }) {
  const t = useT();
  const format = useFormat();
  return (
    <MiniTable
      label={t("probe.chain")}
      head={[t("probe.subject"), t("probe.names"), t("probe.issuer"), t("probe.validTo"), t("probe.key")]}
      rows={chain.map((one) => {
        const end = Date.parse(one.not_after);
        const begin = Date.parse(one.not_before);
        const now = serverNow();
        return {
          key: one.fingerprint,
          cells: [
            <span key="subject" title={t("probe.fingerprint", { value: one.fingerprint })}>
              <Wire>{one.subject}</Wire>
            </span>,
            <Names key="names" names={one.names} />,
            <span key="issuer">
              <Wire>{one.issuer}</Wire> {one.self_signed && <Hint>{t("probe.selfSigned")}</Hint>}
            </span>,
            <span key="end" title={`${format.moment(begin)} – ${format.moment(end)}`}>
              {format.date(end)}{" "}
              {end < now ? <Hint>{t("probe.expired")}</Hint> : begin > now && <Hint>{t("probe.notYet")}</Hint>}
            </span>,
            one.key,
          ],
        };
      })}
    />
  );
}

const namesShown = 3;

function Names({ names }: { names: readonly string[] }) {
  const t = useT();
  if (names.length === 0) return "–";
  const rest = names.length - namesShown;
  return (
    <span title={names.join("\n")}>
      <Wire>{names.slice(0, namesShown).join(", ")}</Wire> {rest > 0 && <Hint>{t("probe.more", { n: rest })}</Hint>}
    </span>
  );
}

/** Response codes that have a name (RFC 1035, RFC 6895). */
const codes: Readonly<Record<number, string>> = {
  0: "NOERROR",
  1: "FORMERR",
  2: "SERVFAIL",
  3: "NXDOMAIN",
  4: "NOTIMP",
  5: "REFUSED",
};

export function DnsDetail({ detail }: { detail: Dns }) {
  const t = useT();
  return (
    <>
      {detail.servers.length > 1 && (
        <p>
          <Mark status={detail.agree ? "ok" : "warning"}>{t(detail.agree ? "probe.agree" : "probe.disagree")}</Mark>
        </p>
      )}
      {detail.servers.map((server) => (
        <ServerAnswer key={server.server} server={server} record={detail.record} />
      ))}
    </>
  );
}

function ServerAnswer({ server, record }: { server: DnsServer; record: string }) {
  const t = useT();
  const format = useFormat();
  const said = [
    server.code == null ? undefined : (codes[server.code] ?? `RCODE ${server.code}`),
    seconds(server.time, format),
    server.authenticated ? t("probe.authenticated") : undefined,
    server.authoritative ? t("probe.authoritative") : undefined,
    server.truncated ? t("probe.truncated") : undefined,
  ].filter((one) => one !== undefined);
  return (
    <div className={styles.part}>
      <p>
        <strong className="mono">{server.server}</strong> {said.join(" · ")}
        {server.problem != null && (
          <>
            {" "}
            <Mark status="critical">{server.problem}</Mark>
          </>
        )}
      </p>
      {server.answers.length > 0 && (
        <MiniTable
          label={t("probe.answersOf", { server: server.server, record })}
          head={[t("list.name"), t("probe.record"), t("probe.value"), `>${t("probe.ttl")}`]}
          rows={server.answers.map(({ name, record, value, ttl }, i) => ({
            key: `${i} ${name}`,
            cells: [<Wire key="name">{name}</Wire>, record, <Wire key="value">{value}</Wire>, format.duration(ttl)],
          }))}
        />
      )}
    </div>
  );
}

export function BannerDetail({ detail }: { detail: Banner }) {
  const t = useT();
  const format = useFormat();
  const { greeting, greeting_time, capabilities, connect, lookup, tls } = detail;
  return (
    <>
      <Facts
        items={[
          [t("probe.greeting"), <Wire key="greeting">{greeting}</Wire>],
          [t("probe.greetingTime"), seconds(greeting_time, format)],
          [t("probe.capabilities"), <Wire key="can">{capabilities.join(", ")}</Wire>],
          [t("probe.connect"), seconds(connect, format)],
          lookup != null && [t("probe.lookup"), format.duration(lookup)],
        ]}
      />
      {tls != null && <Session session={tls} />}
    </>
  );
}
