//! The keys: one list from which reading, `config show`, schema, sample and documentation derive.

use super::value::{Kind, Raw, Value};

/// A key of the configuration; [`Descriptor`] says what it means.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, PartialOrd, Ord)]
pub enum Key {
    Listen,
    DataDir,
    Token,
    AllowedHosts,
    RateLimit,
    Retention,
    ArchiveSize,
    PublicUrl,
    SamplesAge,
    SamplesSize,
    SampleMinutesAge,
    SampleMinutesSize,
    SampleHoursAge,
    SampleHoursSize,
    FlowsAge,
    FlowsSize,
    FlowMinutesAge,
    FlowMinutesSize,
    FlowHoursAge,
    FlowHoursSize,
    EventsAge,
    EventsSize,
    ResultsAge,
    ResultsSize,
    DiskWarnPercent,
    DiskStopPercent,
    DiskStopSize,
    RangesFile,
    CountryFile,
    AsnFile,
    RegistrationEnabled,
    RequireVerifiedEmail,
    OidcName,
    OidcIssuer,
    OidcClientId,
    OidcClientSecret,
    OidcScopes,
    OidcProvision,
    OidcRoles,
    OidcAllow,
    ProbesAllow,
    ProbesDeny,
    ProbesBlackbox,
    AgentsListen,
    AgentsAddress,
    AgentsCertificate,
    AgentsKeyFile,
    AgentsStaleAfter,
    AgentsOfflineAfter,
    AgentsReleases,
    AgentsReflector,
    AgentsThroughput,
    Interfaces,
    CaptureFilter,
    CaptureLength,
    Workers,
    Promiscuous,
    RingSize,
    Capacity,
    Inspect,
    Processes,
    ActiveTimeout,
    TcpTimeout,
    TcpOpeningTimeout,
    TcpClosedTimeout,
    UdpTimeout,
    IcmpTimeout,
    OtherTimeout,
    LogLevel,
    LogFormat,
    OtlpEndpoint,
    OtlpHeaders,
    OtlpSample,
    OtlpAllow,
}

/// Everything that is known about a key.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Descriptor {
    /// Which key.
    pub key: Key,
    /// Section of the file.
    pub section: &'static str,
    /// Name in the section.
    pub name: &'static str,
    /// What its values look like.
    pub kind: Kind,
    /// As it would be written.
    pub default: &'static str,
    /// The flag that sets it, empty when there is none.
    pub flag: &'static str,
    /// What it does, for file, schema and documentation.
    pub description: &'static str,
}

impl Key {
    /// Its entry in [`KEYS`].
    pub fn descriptor(self) -> &'static Descriptor {
        // The list is in the order of the variants, which a test proves.
        KEYS.get(self as usize).unwrap_or(&KEYS[0])
    }

    /// The key `section.name`.
    pub fn from_path(path: &str) -> Option<Self> {
        KEYS.iter().find(|d| path.split_once('.') == Some((d.section, d.name))).map(|d| d.key)
    }
}

impl Descriptor {
    /// `section.name`.
    pub fn path(&self) -> String {
        format!("{}.{}", self.section, self.name)
    }

    /// The default as a value.
    pub fn default_value(&self) -> Value {
        let raw = Raw::Scalar(self.default.to_owned());
        // That every default can be read is proven by a test.
        self.kind.read(&raw).unwrap_or_else(|_| Value::Text(self.default.to_owned()))
    }

    /// Whether a change takes effect when the configuration is reloaded; the others wait for a restart.
    pub fn is_live(&self) -> bool {
        let of_probes = matches!(self.key, Key::ProbesAllow | Key::ProbesDeny | Key::ProbesBlackbox);
        of_probes || matches!(self.key, Key::AllowedHosts | Key::RateLimit | Key::LogLevel) || self.section == "storage"
    }

    /// Whether its value is never shown.
    pub const fn is_secret(&self) -> bool {
        matches!(self.kind, Kind::Secret)
    }
}

/// The sections with their headings, in order.
pub const SECTIONS: [(&str, &str); 10] = [
    ("server", "Where people and programs reach Netwatch, and what it keeps."),
    ("storage", "What history keeps. A key that is written here cannot be changed in the web app."),
    ("registration", "Who may make an account without an invitation."),
    ("oidc", "An identity provider (OpenID Connect) with which people sign in."),
    ("probes", "What may be measured."),
    ("agents", "How agents on other hosts come in."),
    ("capture", "Where packets come from."),
    ("flows", "How packets become conversations."),
    ("log", "What is written to standard error."),
    ("telemetry", "Where traces of Netwatch's own work go."),
];

const S: u64 = 1_000_000_000;
const DAY: u64 = 86_400 * S;
const KIB: u64 = 1 << 10;
const MIB: u64 = 1 << 20;
const GIB: u64 = 1 << 30;
const AGE: Kind = Kind::Duration(3600 * S, 36_525 * DAY);
const ROOM: Kind = Kind::Size(64 * MIB, 1 << 50);
const IDLE: Kind = Kind::Duration(S, DAY);

const fn d(
    key: Key,
    section: &'static str,
    name: &'static str,
    kind: Kind,
    default: &'static str,
    flag: &'static str,
    description: &'static str,
) -> Descriptor {
    Descriptor { key, section, name, kind, default, flag, description }
}

/// All keys.
#[rustfmt::skip]
pub static KEYS: &[Descriptor] = &[
    d(Key::Listen, "server", "listen", Kind::Listen, "127.0.0.1:8470", "--listen",
      "Address and port of the web app and the API. Only loopback unless you say otherwise here."),
    d(Key::DataDir, "server", "data_dir", Kind::Text, "", "--data-dir",
      "Directory for the token. Empty: /var/lib/netwatch for root, else $XDG_DATA_HOME/netwatch."),
    d(Key::Token, "server", "token", Kind::Secret, "", "",
      "Bearer token of a new data directory, at least 16 characters. Empty: a random one is made. Better set by NETWATCH_TOKEN."),
    d(Key::AllowedHosts, "server", "allowed_hosts", Kind::List, "", "--allowed-host",
      "Host names under which the web app may be opened, besides localhost and the listen address. Reloaded."),
    d(Key::RateLimit, "server", "rate_limit", Kind::Count(0, 1_000_000), "200", "",
      "Requests a second that one address, and one session or token, may send to the API; ten times as many at once. 0: no limit. Reloaded."),
    d(Key::Retention, "server", "retention", Kind::Duration(60 * S, DAY), "60m", "--retention",
      "How long ended flows and rates stay searchable."),
    d(Key::ArchiveSize, "server", "archive_size", Kind::Size(MIB, 64 * GIB), "256MiB", "--archive-size",
      "Memory for ended flows; when it is used up the oldest go first."),
    d(Key::PublicUrl, "server", "public_url", Kind::Text, "", "",
      "How browsers reach Netwatch behind a proxy, such as https://netwatch.example.org; identity providers send people back there."),
    d(Key::SamplesAge, "storage", "samples_age", AGE, "14d", "",
      "Samples as they came are deleted when they are so old. Reloaded."),
    d(Key::SamplesSize, "storage", "samples_size", ROOM, "20GiB", "",
      "Bytes that they may take in each workspace; the oldest go first. Reloaded."),
    d(Key::SampleMinutesAge, "storage", "sample_minutes_age", AGE, "90d", "",
      "Samples rolled up by minute are deleted when they are so old. Reloaded."),
    d(Key::SampleMinutesSize, "storage", "sample_minutes_size", ROOM, "5GiB", "",
      "Bytes that they may take in each workspace; the oldest go first. Reloaded."),
    d(Key::SampleHoursAge, "storage", "sample_hours_age", AGE, "1826d", "",
      "Samples rolled up by hour are deleted when they are so old. Reloaded."),
    d(Key::SampleHoursSize, "storage", "sample_hours_size", ROOM, "5GiB", "",
      "Bytes that they may take in each workspace; the oldest go first. Reloaded."),
    d(Key::FlowsAge, "storage", "flows_age", AGE, "30d", "",
      "Flow records as they came are deleted when they are so old. Reloaded."),
    d(Key::FlowsSize, "storage", "flows_size", ROOM, "20GiB", "",
      "Bytes that they may take in each workspace; the oldest go first. Reloaded."),
    d(Key::FlowMinutesAge, "storage", "flow_minutes_age", AGE, "90d", "",
      "Sums of flows by minute are deleted when they are so old. Reloaded."),
    d(Key::FlowMinutesSize, "storage", "flow_minutes_size", ROOM, "5GiB", "",
      "Bytes that they may take in each workspace; the oldest go first. Reloaded."),
    d(Key::FlowHoursAge, "storage", "flow_hours_age", AGE, "1826d", "",
      "Sums of flows by hour are deleted when they are so old. Reloaded."),
    d(Key::FlowHoursSize, "storage", "flow_hours_size", ROOM, "5GiB", "",
      "Bytes that they may take in each workspace; the oldest go first. Reloaded."),
    d(Key::EventsAge, "storage", "events_age", AGE, "1826d", "",
      "Events are deleted when they are so old. Reloaded."),
    d(Key::EventsSize, "storage", "events_size", ROOM, "1GiB", "",
      "Bytes that they may take in each workspace; the oldest go first. Reloaded."),
    d(Key::ResultsAge, "storage", "probe_results_age", AGE, "90d", "",
      "Results of probes are deleted when they are so old; their numbers are kept as samples. Reloaded."),
    d(Key::ResultsSize, "storage", "probe_results_size", ROOM, "5GiB", "",
      "Bytes that they may take in each workspace; the oldest go first. Reloaded."),
    d(Key::DiskWarnPercent, "storage", "disk_warn_percent", Kind::Count(0, 90), "20", "",
      "Below this percentage of free space there is a warning. Reloaded."),
    d(Key::DiskStopPercent, "storage", "disk_stop_percent", Kind::Count(0, 90), "10", "",
      "Below this percentage of free space nothing new is stored until there is room again. Reloaded."),
    d(Key::DiskStopSize, "storage", "disk_stop_size", Kind::Size(0, 1 << 40), "2GiB", "",
      "Below this much free space nothing new is stored either. Reloaded."),
    d(Key::RangesFile, "storage", "ranges_file", Kind::Text, "", "",
      "CSV file with names of address ranges for all workspaces, as lines of network,name. Read again when it changes. Reloaded."),
    d(Key::CountryFile, "storage", "country_file", Kind::Text, "", "",
      "MMDB file with the countries of addresses. Read again when it changes. Reloaded."),
    d(Key::AsnFile, "storage", "asn_file", Kind::Text, "", "",
      "MMDB file with the autonomous systems of addresses. Read again when it changes. Reloaded."),
    d(Key::RegistrationEnabled, "registration", "enabled", Kind::Flag, "false", "",
      "Whether anybody may make an account. It has no rights until somebody invites it."),
    d(Key::RequireVerifiedEmail, "registration", "require_verified_email", Kind::Flag, "true", "",
      "Whether an address must be verified before its user may invite, make workspaces or API tokens."),
    d(Key::OidcName, "oidc", "name", Kind::Text, "Single sign-on", "",
      "What the button on the sign-in page says."),
    d(Key::OidcIssuer, "oidc", "issuer", Kind::Text, "", "",
      "The issuer, exactly as the provider writes it: https, or http on this machine. Empty: no provider."),
    d(Key::OidcClientId, "oidc", "client_id", Kind::Text, "", "",
      "Who Netwatch is at the provider. Its callback there is PUBLIC_URL/auth/oidc/sso/callback."),
    d(Key::OidcClientSecret, "oidc", "client_secret", Kind::Secret, "", "",
      "The secret of Netwatch at the provider. Empty: a public client. Better set by NETWATCH_OIDC__CLIENT_SECRET."),
    d(Key::OidcScopes, "oidc", "scopes", Kind::List, "profile,email", "",
      "Scopes that are asked for beside openid; some providers want one for groups."),
    d(Key::OidcProvision, "oidc", "provision", Kind::Flag, "true", "",
      "Whether people who are not known yet get an account."),
    d(Key::OidcRoles, "oidc", "roles", Kind::List, "", "",
      "Roles in the first workspace by claim, as CLAIM=VALUE:ROLE, such as groups=network-team:operator; the first that fits counts."),
    d(Key::OidcAllow, "oidc", "allow", Kind::List, "", "",
      "Address ranges where the provider may be although they are not public, such as 10.20.0.0/16."),
    d(Key::ProbesAllow, "probes", "allow", Kind::List, "10.0.0.0/8,172.16.0.0/12,192.168.0.0/16,100.64.0.0/10,fc00::/7,fe80::/10", "",
      "Networks that probes may measure although they are not public. Add 127.0.0.0/8 and ::1 for this machine itself. Reloaded."),
    d(Key::ProbesDeny, "probes", "deny", Kind::List, "", "",
      "Networks that probes may never measure, whatever else is said. Reloaded."),
    d(Key::ProbesBlackbox, "probes", "blackbox", Kind::Text, "", "",
      "Modules for /probe, as blackbox_exporter reads them (blackbox.yml). Empty: http_2xx, http_post_2xx, tcp_connect, tls_connect, icmp, icmp_ttl5, dns, dns_tcp. Reloaded."),
    d(Key::AgentsListen, "agents", "listen", Kind::Text, "", "--agents-listen",
      "Address and port on which agents of other hosts are served, such as 0.0.0.0:8471. Empty: none are."),
    d(Key::AgentsAddress, "agents", "address", Kind::Text, "", "",
      "HOST:PORT under which agents reach the server, for the commands that it prints. Empty: the host under which it was asked, and the port of agents.listen."),
    d(Key::AgentsCertificate, "agents", "certificate", Kind::Text, "", "",
      "PEM file with the certificate that agents are shown, with agents.key. Empty: the server's own, in agents of the data directory."),
    d(Key::AgentsKeyFile, "agents", "key", Kind::Text, "", "",
      "PEM file with its key. Agents know the server by this key alone: with another one all of them must be enrolled anew."),
    d(Key::AgentsStaleAfter, "agents", "stale_after", Kind::Duration(60 * S, DAY), "2m", "",
      "An agent that says nothing for so long is stale."),
    d(Key::AgentsOfflineAfter, "agents", "offline_after", Kind::Duration(60 * S, DAY), "5m", "",
      "An agent that says nothing for so long is offline."),
    d(Key::AgentsReleases, "agents", "releases", Kind::Text, "", "",
      "Folder with programs netwatch-VERSION-OS-ARCH and their signatures .minisig, which agents that may replace themselves are offered. Empty: none."),
    d(Key::AgentsReflector, "agents", "reflector", Kind::Count(0, 65_535), "8862", "",
      "UDP port, from 1024 on, at which test packets of agents that measure this machine are answered (STAMP, RFC 8762). Nothing listens while none does. 0: never."),
    d(Key::AgentsThroughput, "agents", "throughput", Kind::Count(0, 65_535), "8863", "",
      "Port, from 1024 on, at which this machine serves throughput tests of agents (TCP and UDP). Nothing listens while no probe asks for one. 0: never."),
    d(Key::Interfaces, "capture", "interfaces", Kind::List, "", "--interface",
      "Interfaces to capture. Empty: the outermost ones; netwatch interfaces shows which."),
    d(Key::CaptureFilter, "capture", "filter", Kind::Text, "", "--capture-filter",
      "Which frames the kernel hands over, in tcpdump syntax. Empty: all."),
    d(Key::CaptureLength, "capture", "length", Kind::Size(64, 256 * KIB), "2KiB", "--capture-length",
      "Octets kept of each frame. Counts do not depend on it; names need the first packets whole."),
    d(Key::Workers, "capture", "workers", Kind::Count(0, 64), "0", "--workers",
      "Worker threads. 0: one for each two cores, at least one."),
    d(Key::Promiscuous, "capture", "promiscuous", Kind::Flag, "false", "--promiscuous",
      "Whether frames for other machines are captured, too."),
    d(Key::RingSize, "capture", "ring_size", Kind::Size(256 * KIB, 4 * GIB), "16MiB", "--ring-size",
      "Memory of the kernel's ring for each interface and worker."),
    d(Key::Capacity, "flows", "capacity", Kind::Count(1024, 16_000_000), "1000000", "--flow-capacity",
      "Conversations in the flow table; when it is full light ones give way and are counted."),
    d(Key::Inspect, "flows", "inspect", Kind::Flag, "true", "",
      "Whether payload is looked at for names (DNS, TLS, QUIC, HTTP)."),
    d(Key::Processes, "flows", "processes", Kind::Flag, "true", "",
      "Whether the local process of a flow is looked up."),
    d(Key::ActiveTimeout, "flows", "active_timeout", IDLE, "30m", "--active-timeout",
      "A flow that goes on begins a new record after this time."),
    d(Key::TcpTimeout, "flows", "tcp_timeout", IDLE, "5m", "--tcp-timeout",
      "TCP without a packet ends after this time."),
    d(Key::TcpOpeningTimeout, "flows", "tcp_opening_timeout", IDLE, "30s", "",
      "TCP of which only the SYN was seen ends after this time."),
    d(Key::TcpClosedTimeout, "flows", "tcp_closed_timeout", IDLE, "5s", "",
      "TCP that was closed or reset waits this long for stragglers."),
    d(Key::UdpTimeout, "flows", "udp_timeout", IDLE, "1m", "--udp-timeout",
      "UDP without a packet ends after this time."),
    d(Key::IcmpTimeout, "flows", "icmp_timeout", IDLE, "30s", "",
      "ICMP without a packet ends after this time."),
    d(Key::OtherTimeout, "flows", "other_timeout", IDLE, "1m", "",
      "Every other protocol without a packet ends after this time."),
    d(Key::LogLevel, "log", "level", Kind::Word(&["error", "warn", "info", "debug", "trace"]), "info", "--log",
      "What is worth a line. Reloaded."),
    d(Key::LogFormat, "log", "format", Kind::Word(&["text", "json"]), "text", "--log-format",
      "Lines for people, or JSON for programs."),
    d(Key::OtlpEndpoint, "telemetry", "otlp_endpoint", Kind::Text, "", "",
      "Collector for traces (OTLP over HTTP, protobuf), such as http://127.0.0.1:4318; /v1/traces is added. Empty: none."),
    d(Key::OtlpHeaders, "telemetry", "otlp_headers", Kind::Secret, "", "",
      "Headers that the collector wants, as NAME=VALUE with commas between. Better set by NETWATCH_TELEMETRY__OTLP_HEADERS."),
    d(Key::OtlpSample, "telemetry", "otlp_sample_percent", Kind::Count(0, 100), "100", "",
      "Share of traces that is sent."),
    d(Key::OtlpAllow, "telemetry", "otlp_allow", Kind::List, "127.0.0.0/8,::1", "",
      "Address ranges where the collector may be although they are not public."),
];
