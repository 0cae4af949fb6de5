//! What a run gave, under the names that blackbox_exporter gives it: the one list of those names.
//!
//! Gauges that the exporter leaves out (certificates without TLS, hop limits without an answer) are left out here, too. `setup` of a ping
//! is zero: its socket is open before.

use std::net::IpAddr;

use netwatch_model::Timestamp;
use netwatch_model::probe::kind::dns::Dns;
use netwatch_model::probe::kind::http::{Http, HttpHop, HttpPhases};
use netwatch_model::probe::kind::tls::{Certificate, TlsSession};
use netwatch_model::probe::{Detail, ProbeKind, ProbeResult};

use super::module::Module;
use super::text::{CONTENT_TYPE, Gauge, Gauges};
use super::verdict::{judge, proto};

macro_rules! gauges {
    ($($name:ident = $text:literal, $help:literal;)+) => {
        $(const $name: Gauge = Gauge { name: $text, help: $help };)+
    };
}

gauges! {
    SUCCESS = "probe_success", "Whether the probe succeeded.";
    DURATION = "probe_duration_seconds", "Seconds that the probe took.";
    TIMEOUT = "probe_timeout_seconds", "Seconds that the probe could take.";
    LOOKUP = "probe_dns_lookup_time_seconds", "Seconds to resolve the target.";
    PROTOCOL = "probe_ip_protocol", "Version of IP that was used: 4 or 6.";
    ADDRESS_HASH = "probe_ip_addr_hash", "FNV-1a hash of the address, to see that it changed.";
    BY_REGEX = "probe_failed_due_to_regex", "Whether a regular expression is why the probe failed.";
    BY_BYTES = "probe_failed_due_to_bytes", "Whether unexpected bytes are why the probe failed.";
    HTTP_DURATION = "probe_http_duration_seconds", "Seconds of each phase, summed over redirects.";
    HTTP_LENGTH = "probe_http_content_length", "Content-Length of the answer; -1 when it says none.";
    HTTP_BODY = "probe_http_uncompressed_body_length", "Octets of the body that were read.";
    HTTP_REDIRECTS = "probe_http_redirects", "Redirects that were followed.";
    HTTP_SSL = "probe_http_ssl", "Whether the last request was over TLS.";
    HTTP_STATUS = "probe_http_status_code", "Status code of the last answer.";
    HTTP_VERSION = "probe_http_version", "Version of HTTP of the last answer.";
    HTTP_MODIFIED = "probe_http_last_modified_timestamp_seconds", "Last-Modified of the answer.";
    SSL_EARLIEST = "probe_ssl_earliest_cert_expiry", "When the first of the certificates that were sent ends.";
    SSL_CHAIN = "probe_ssl_last_chain_expiry_timestamp_seconds", "When the trusted chain ends.";
    SSL_INFO = "probe_ssl_last_chain_info", "The certificate of the server.";
    TLS_VERSION = "probe_tls_version_info", "Version of TLS.";
    TLS_CIPHER = "probe_tls_cipher_info", "Cipher suite of TLS.";
    ICMP_DURATION = "probe_icmp_duration_seconds", "Seconds of each phase.";
    ICMP_HOPS = "probe_icmp_reply_hop_limit", "Time to live (hop limit) of the answer.";
    DNS_DURATION = "probe_dns_duration_seconds", "Seconds of each phase.";
    DNS_ANSWER = "probe_dns_answer_rrs", "Records in the answer section.";
    DNS_AUTHORITY = "probe_dns_authority_rrs", "Records in the authority section.";
    DNS_ADDITIONAL = "probe_dns_additional_rrs", "Records in the additional section.";
    DNS_SUCCEEDED = "probe_dns_query_succeeded", "Whether the name server answered.";
    DNS_SERIAL = "probe_dns_serial", "Serial number of the zone.";
}

/// What a chain without a verified one ends at: the first second of the year 1, as the exporter says it.
const NEVER: f64 = -62_135_596_800.0;

/// A run of a module as it is told.
#[derive(Debug)]
pub(crate) struct Scrape<'a> {
    /// Its module.
    pub(crate) module: &'a Module,
    /// What came out; none when it had to be given up.
    pub(crate) result: Option<&'a ProbeResult>,
    /// Seconds that all of it took.
    pub(crate) duration: f64,
    /// Seconds that it could take.
    pub(crate) timeout: f64,
    /// The time.
    pub(crate) now: Timestamp,
}

/// The media type and the text of an answer, and why the probe failed if it did.
pub(crate) fn write(scrape: &Scrape<'_>) -> (&'static str, String, Option<String>) {
    let verdict = judge(scrape.module, scrape.result);
    let mut out = Gauges::default();
    out.flag(SUCCESS, verdict.why.is_none());
    out.set(DURATION, scrape.duration);
    out.set(TIMEOUT, scrape.timeout);
    let result = scrape.result;
    address(&mut out, result);
    let detail = result.and_then(|result| result.detail.as_ref());
    match scrape.module.kind() {
        ProbeKind::Http => {
            out.flag(BY_REGEX, verdict.by_expression);
            http(&mut out, if let Some(Detail::Http(http)) = detail { Some(http.as_ref()) } else { None }, scrape.now);
        }
        ProbeKind::Ping => ping(&mut out, detail),
        ProbeKind::Dns => dns(&mut out, if let Some(Detail::Dns(dns)) = detail { Some(dns.as_ref()) } else { None }),
        _ => {
            out.flag(BY_REGEX, false);
            out.flag(BY_BYTES, false);
            if let Some(Detail::Tls(tls)) = detail
                && verdict.why.is_none()
            {
                tls.session.iter().for_each(|session| certificates(&mut out, session, scrape.now));
            }
        }
    }
    (CONTENT_TYPE, out.write(), verdict.why)
}

/// What the exporter says of every target that has a name.
fn address(out: &mut Gauges, result: Option<&ProbeResult>) {
    let address = result.and_then(first_address);
    out.set(LOOKUP, result.and_then(lookup).unwrap_or(0.0));
    out.set(PROTOCOL, address.map_or(0.0, |address| if address.is_ipv4() { 4.0 } else { 6.0 }));
    out.set(ADDRESS_HASH, address.map_or(0.0, |address| f64::from(hash(address))));
}

/// The address of the target itself, not of where it sends us.
fn first_address(result: &ProbeResult) -> Option<IpAddr> {
    match &result.detail {
        Some(Detail::Http(http)) => http.hops.first().and_then(|hop| hop.address),
        _ => result.address,
    }
}

fn lookup(result: &ProbeResult) -> Option<f64> {
    match result.detail.as_ref()? {
        Detail::Http(http) => http.hops.first().map(|hop| hop.phases.resolve),
        Detail::Dns(dns) => dns.servers.first()?.lookup,
        Detail::Ping(ping) => ping.lookup,
        Detail::Tcp(tcp) => tcp.lookup,
        Detail::Tls(tls) => tls.lookup,
        _ => None,
    }
}

/// 32-bit FNV-1a of the octets of an address.
fn hash(address: IpAddr) -> u32 {
    let octets = match address {
        IpAddr::V4(address) => address.octets().to_vec(),
        IpAddr::V6(address) => address.octets().to_vec(),
    };
    octets.iter().fold(0x811c_9dc5, |hash, octet| (hash ^ u32::from(*octet)).wrapping_mul(0x0100_0193))
}

fn http(out: &mut Gauges, http: Option<&Http>, now: Timestamp) {
    let hops = http.map(|http| http.hops.as_slice()).unwrap_or_default();
    let last = hops.last().filter(|hop| hop.status.is_some());
    let sum = |phase: fn(&HttpPhases) -> f64| hops.iter().map(|hop| phase(&hop.phases)).sum::<f64>();
    out.labelled(HTTP_DURATION, &[("phase", "resolve")], sum(|phases| phases.resolve));
    if hops.first().is_some_and(|hop| hop.address.is_some()) {
        out.labelled(HTTP_DURATION, &[("phase", "connect")], sum(|phases| phases.connect));
        out.labelled(HTTP_DURATION, &[("phase", "tls")], sum(|phases| phases.tls));
        out.labelled(HTTP_DURATION, &[("phase", "processing")], sum(|phases| phases.first_byte));
        out.labelled(HTTP_DURATION, &[("phase", "transfer")], sum(|phases| phases.transfer));
    }
    out.set(HTTP_LENGTH, last.map_or(0.0, |hop| length(hop, http)));
    out.set(HTTP_BODY, http.map_or(0.0, |http| whole(http.body_octets)));
    out.set(HTTP_REDIRECTS, whole(hops.len().saturating_sub(1) as u64));
    out.set(HTTP_STATUS, last.and_then(|hop| hop.status).map_or(0.0, f64::from));
    let version = last.and_then(|hop| proto(hop.version.as_deref()?).strip_prefix("HTTP/")?.parse().ok());
    out.set(HTTP_VERSION, version.unwrap_or(0.0));
    if let Some(modified) = last.and_then(|hop| hop.last_modified) {
        out.set(HTTP_MODIFIED, seconds(modified));
    }
    let session = last.and_then(|_| http?.tls.as_ref());
    out.flag(HTTP_SSL, session.is_some());
    if let Some(session) = session {
        certificates(out, session, now);
        out.labelled(TLS_CIPHER, &[("cipher", &session.cipher)], 1.0);
    }
}

/// The length that an answer says; 0 when it can have no body, -1 when it does not say.
fn length(hop: &HttpHop, http: Option<&Http>) -> f64 {
    let has_none = matches!(hop.status, Some(204 | 304))
        || (hop.version.as_deref() == Some("HTTP/2") && http.is_some_and(|http| http.body_octets == 0));
    hop.content_length.map_or(if has_none { 0.0 } else { -1.0 }, whole)
}

fn certificates(out: &mut Gauges, session: &TlsSession, now: Timestamp) {
    let ends = session.chain.iter().map(|certificate| certificate.not_after);
    out.set(SSL_EARLIEST, ends.min().map_or(NEVER, seconds));
    out.set(SSL_CHAIN, verified_end(session, now).map_or(NEVER, seconds));
    out.labelled(TLS_VERSION, &[("version", &session.version)], 1.0);
    let Some(Certificate { subject, issuer, names, serial, fingerprint, .. }) = session.chain.first() else { return };
    let names: Vec<String> =
        names.iter().map(ToString::to_string).filter(|name| name.parse::<IpAddr>().is_err()).collect();
    let labels = [
        ("fingerprint_sha256", fingerprint.as_str()),
        ("subject", &subject.to_string()),
        ("issuer", &issuer.to_string()),
        ("subjectalternative", &names.join(",")),
        ("serialnumber", serial.strip_prefix("00").unwrap_or(serial)),
    ];
    out.labelled(SSL_INFO, &labels, 1.0);
}

/// When the chain that was verified ends; none when there is no such chain. An expired certificate that the server sends besides is in
/// no chain that can be verified.
fn verified_end(session: &TlsSession, now: Timestamp) -> Option<Timestamp> {
    let ends = session.chain.iter().map(|certificate| certificate.not_after).filter(|end| *end > now);
    ends.min().filter(|_| session.trusted)
}

fn ping(out: &mut Gauges, detail: Option<&Detail>) {
    let Some(Detail::Ping(ping)) = detail else {
        return ["resolve", "setup", "rtt"]
            .into_iter()
            .for_each(|phase| out.labelled(ICMP_DURATION, &[("phase", phase)], 0.0));
    };
    out.labelled(ICMP_DURATION, &[("phase", "resolve")], ping.lookup.unwrap_or(0.0));
    out.labelled(ICMP_DURATION, &[("phase", "setup")], 0.0);
    out.labelled(ICMP_DURATION, &[("phase", "rtt")], ping.rtt.as_ref().map_or(0.0, |rtt| rtt.median));
    if let Some(hops) = ping.hop_limit.filter(|_| ping.received > 0) {
        out.set(ICMP_HOPS, f64::from(hops));
    }
}

fn dns(out: &mut Gauges, dns: Option<&Dns>) {
    let server = dns.and_then(|dns| dns.servers.first());
    let part = |part: fn(&netwatch_model::probe::kind::dns::DnsServer) -> Option<f64>| server.and_then(part);
    let connect = part(|server| server.connect).unwrap_or(0.0);
    let request = part(|server| server.time).map_or(0.0, |time| (time - connect).max(0.0));
    out.labelled(DNS_DURATION, &[("phase", "resolve")], part(|server| server.lookup).unwrap_or(0.0));
    out.labelled(DNS_DURATION, &[("phase", "connect")], connect);
    out.labelled(DNS_DURATION, &[("phase", "request")], request);
    let sections = server.and_then(|server| server.sections).unwrap_or_default();
    out.set(DNS_ANSWER, f64::from(sections.answer));
    out.set(DNS_AUTHORITY, f64::from(sections.authority));
    out.set(DNS_ADDITIONAL, f64::from(sections.additional));
    let code = server.and_then(|server| server.code);
    out.flag(DNS_SUCCEEDED, code.is_some());
    if dns.is_some_and(|dns| dns.record == "SOA") && code.is_some() {
        let soa = server.and_then(|server| server.answers.iter().find(|answer| answer.record == "SOA"));
        // MNAME, RNAME, SERIAL (RFC 1035, 3.3.13).
        let serial = soa.and_then(|soa| soa.value.raw().split_whitespace().nth(2)?.parse::<u32>().ok());
        out.set(DNS_SERIAL, serial.map_or(0.0, f64::from));
    }
}

#[expect(clippy::cast_precision_loss, reason = "lengths of bodies and counts of hops are far below 2⁵³")]
const fn whole(n: u64) -> f64 {
    n as f64
}

#[expect(clippy::cast_precision_loss, reason = "seconds of times that certificates and files have are exact")]
const fn seconds(time: Timestamp) -> f64 {
    time.secs() as f64
}
