//! The fields: one list from which parser, evaluation, API and documentation derive.

use super::ast::Comparison;
use crate::{EndReason, FlowState, NameSource, TunnelKind};

/// A field of the filter language; [`Descriptor`] says what it means.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, PartialOrd, Ord)]
#[expect(missing_docs, reason = "each is described once, in its Descriptor")]
pub enum Field {
    Host,
    Source,
    Destination,
    Port,
    SourcePort,
    DestinationPort,
    Protocol,
    IcmpType,
    IcmpCode,
    Vlan,
    Tunnel,
    TunnelId,
    Application,
    Name,
    Sni,
    Dns,
    HttpHost,
    NameSource,
    Process,
    Pid,
    User,
    Container,
    Interface,
    State,
    EndReason,
    Bytes,
    ForwardBytes,
    ReverseBytes,
    BytesIn,
    BytesOut,
    Packets,
    ForwardPackets,
    ReversePackets,
    Rate,
    Duration,
    Start,
    End,
    Rtt,
    ServerRtt,
    ClientRtt,
    ResponseTime,
    Retransmitted,
    OutOfOrder,
    Duplicates,
    ZeroWindows,
    Id,
}

/// What the values of a field look like.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// An address or network.
    Address,
    /// A whole number up to that one, without unit.
    Number(u64),
    /// A whole number with `k`, `M`, `G` if wanted.
    Count,
    /// Octets.
    Bytes,
    /// Bits per second.
    Rate,
    /// A span of time.
    Duration,
    /// A point in time, RFC 3339.
    Time,
    /// One of the words.
    Word(&'static [&'static str]),
    /// An IP protocol: keyword or number.
    Protocol,
    /// Text whose ASCII case does not matter.
    Name,
    /// Text.
    Text,
    /// 16 hexadecimal digits.
    Id,
}

impl Kind {
    /// The word of the API.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Address => "address",
            Self::Number(_) | Self::Count => "number",
            Self::Bytes => "bytes",
            Self::Rate => "rate",
            Self::Duration => "duration",
            Self::Time => "time",
            Self::Word(_) | Self::Protocol | Self::Id => "word",
            Self::Name | Self::Text => "text",
        }
    }

    /// Whether `<`, `<=`, `>` and `>=` make sense.
    #[must_use]
    pub const fn is_ordered(self) -> bool {
        matches!(self, Self::Number(_) | Self::Count | Self::Bytes | Self::Rate | Self::Duration | Self::Time)
    }

    /// Whether `low-high` can stand in a list.
    #[must_use]
    pub const fn has_ranges(self) -> bool {
        self.is_ordered() && !matches!(self, Self::Time)
    }

    /// Whether `~` makes sense.
    #[must_use]
    pub const fn is_text(self) -> bool {
        matches!(self, Self::Name | Self::Text)
    }

    /// The operators that it takes, as they are written.
    #[must_use]
    pub const fn operators(self) -> &'static [&'static str] {
        if self.is_text() {
            &["=", "!=", "~", "!~", "in", "not in"]
        } else if self.is_ordered() {
            &["=", "!=", "<", "<=", ">", ">=", "in", "not in"]
        } else {
            &["=", "!=", "in", "not in"]
        }
    }

    /// Whether the kind takes this comparison.
    pub(super) fn takes(self, comparison: Comparison) -> bool {
        comparison == Comparison::Equal || self.is_ordered()
    }
}

/// Everything that is known about a field.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Descriptor {
    /// Which field.
    pub field: Field,
    /// Its canonical name.
    pub name: &'static str,
    /// Other names that are understood.
    pub aliases: &'static [&'static str],
    /// What its values look like.
    pub kind: Kind,
    /// One sentence.
    pub description: &'static str,
    /// A filter that uses it.
    pub example: &'static str,
}

impl Field {
    /// Its entry in [`fields`].
    #[must_use]
    pub fn descriptor(self) -> &'static Descriptor {
        // The list is in the order of the variants, which a test proves.
        FIELDS.get(self as usize).unwrap_or(&FIELDS[0])
    }

    /// The field of that name or alias, in any case.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        FIELDS
            .iter()
            .find(|d| d.name.eq_ignore_ascii_case(name) || d.aliases.iter().any(|a| a.eq_ignore_ascii_case(name)))
            .map(|d| d.field)
    }
}

/// All fields, the most used first.
#[must_use]
pub const fn fields() -> &'static [Descriptor] {
    FIELDS
}

/// The candidate nearest to `word` by edit distance, when it is near enough to be meant: one letter of two or
/// three, two of up to eight, a third of more.
#[must_use]
pub fn nearest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let word: Vec<char> = word.chars().take(64).flat_map(char::to_lowercase).collect();
    let limit = (word.len() / 2).clamp(1, 2).max(word.len() / 3);
    let scored = candidates.into_iter().map(|c| (distance(&word, c), c));
    scored.filter(|(d, _)| *d <= limit).min_by_key(|(d, _)| *d).map(|(_, c)| c)
}

/// Optimal string alignment distance: insertions, deletions, substitutions, and swaps of neighbours.
fn distance(a: &[char], b: &str) -> usize {
    let b: Vec<char> = b.chars().flat_map(char::to_lowercase).collect();
    let mut before: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.iter().enumerate() {
        let mut row = vec![i + 1];
        for (j, y) in b.iter().enumerate() {
            let mut best = (last[j] + usize::from(x != y)).min(last[j + 1] + 1).min(row[j] + 1);
            if i > 0 && j > 0 && *x == b[j - 1] && a[i - 1] == *y {
                best = best.min(before[j - 1] + 1);
            }
            row.push(best);
        }
        before = std::mem::replace(&mut last, row);
    }
    last[b.len()]
}

const STATES: &[&str] = &{
    let mut words = [""; FlowState::ALL.len()];
    let mut i = 0;
    while i < words.len() {
        words[i] = FlowState::ALL[i].as_str();
        i += 1;
    }
    words
};

const REASONS: &[&str] = &{
    let mut words = [""; EndReason::ALL.len()];
    let mut i = 0;
    while i < words.len() {
        words[i] = EndReason::ALL[i].as_str();
        i += 1;
    }
    words
};

const TUNNELS: &[&str] = &[TunnelKind::Gre.as_str(), TunnelKind::Vxlan.as_str(), TunnelKind::Ipip.as_str()];

const SOURCES: &[&str] =
    &[NameSource::Dns.as_str(), NameSource::Http.as_str(), NameSource::Quic.as_str(), NameSource::Tls.as_str()];

/// The place of an end reason in its list of words.
pub(super) fn reason_index(reason: EndReason) -> u64 {
    reason as u64 - EndReason::IdleTimeout as u64
}

const PORT: Kind = Kind::Number(u16::MAX as u64);
const OCTET: Kind = Kind::Number(u8::MAX as u64);
const U32: Kind = Kind::Number(u32::MAX as u64);

const fn d(
    field: Field,
    name: &'static str,
    aliases: &'static [&'static str],
    kind: Kind,
    description: &'static str,
    example: &'static str,
) -> Descriptor {
    Descriptor { field, name, aliases, kind, description, example }
}

#[rustfmt::skip]
static FIELDS: &[Descriptor] = &[
    d(Field::Host, "host", &["ip", "net", "address", "addr"], Kind::Address, "Address of either end", "host 10.0.0.1"),
    d(Field::Source, "src", &["source", "from", "initiator"], Kind::Address, "Address of the initiator", "src in 10.0.0.0/8"),
    d(Field::Destination, "dst", &["destination", "dest", "to", "responder"], Kind::Address, "Address of the responder", "dst = 2001:db8::1"),
    d(Field::Port, "port", &[], PORT, "Port of either end, where the protocol has ports", "port 443"),
    d(Field::SourcePort, "sport", &["source_port", "src_port"], PORT, "Port of the initiator", "sport >= 32768"),
    d(Field::DestinationPort, "dport", &["destination_port", "dst_port"], PORT, "Port of the responder; for ICMP type × 256 + code", "dport in (80, 443, 8000-8999)"),
    d(Field::Protocol, "protocol", &["proto"], Kind::Protocol, "IP protocol, by keyword or number; the keyword alone will do", "protocol = tcp"),
    d(Field::IcmpType, "icmp_type", &[], OCTET, "ICMP type of the first message", "icmp_type = 8"),
    d(Field::IcmpCode, "icmp_code", &[], OCTET, "ICMP code of the first message", "icmp_type = 3 and icmp_code = 1"),
    d(Field::Vlan, "vlan", &["vlan_id"], Kind::Number(4095), "Any of the VLAN identifiers", "vlan 100"),
    d(Field::Tunnel, "tunnel", &["tunnel.kind", "tunnel_kind"], Kind::Word(TUNNELS), "How the packets travelled inside another flow's packets; `any` for every kind", "tunnel = vxlan"),
    d(Field::TunnelId, "tunnel.id", &["tunnel_id", "vni"], U32, "GRE key or VXLAN network identifier", "tunnel.id = 42"),
    d(Field::Application, "application", &["app"], Kind::Name, "Application", "app in (https, dns)"),
    d(Field::Name, "name", &["hostname"], Kind::Name, "Name of the service, wherever it was seen", r#"name ~ "*.example.com""#),
    d(Field::Sni, "sni", &["server_name"], Kind::Name, "Name in the TLS or QUIC hello", r#"sni ~ "*.example.com""#),
    d(Field::Dns, "dns", &["dns_name"], Kind::Name, "Name from a DNS answer", r#"dns = "example.com""#),
    d(Field::HttpHost, "http_host", &["http.host"], Kind::Name, "Name in the Host header of plain HTTP", r#"http_host ~ "*.local""#),
    d(Field::NameSource, "name_source", &[], Kind::Word(SOURCES), "Where the name was seen", "name_source in (tls, quic)"),
    d(Field::Process, "process", &["comm", "program"], Kind::Text, "Name of the local process", r#"process = "curl""#),
    d(Field::Pid, "pid", &[], U32, "Id of the local process", "pid 4711"),
    d(Field::User, "user", &["uid"], Kind::Text, "User of the local process", r#"user = "root""#),
    d(Field::Container, "container", &[], Kind::Text, "Container of the local process", "container = any"),
    d(Field::Interface, "interface", &["iface", "if"], Kind::Text, "Interface or capture file", r#"interface = "eth0""#),
    d(Field::State, "state", &[], Kind::Word(STATES), "Where the conversation stands", "state = established"),
    d(Field::EndReason, "end_reason", &["reason"], Kind::Word(REASONS), "Why the record ended; absent while the flow is active", "end_reason = idle_timeout"),
    d(Field::Bytes, "bytes", &["octets", "size"], Kind::Bytes, "IP octets of both directions", "bytes > 1MB"),
    d(Field::ForwardBytes, "forward_bytes", &["forward_octets", "fwd_bytes"], Kind::Bytes, "IP octets from the initiator", "forward_bytes > 1MB"),
    d(Field::ReverseBytes, "reverse_bytes", &["reverse_octets", "rev_bytes"], Kind::Bytes, "IP octets from the responder", "reverse_bytes = 0"),
    d(Field::BytesIn, "bytes_in", &["octets_in", "in_bytes"], Kind::Bytes, "IP octets that the interface received", "bytes_in > 10MiB"),
    d(Field::BytesOut, "bytes_out", &["octets_out", "out_bytes"], Kind::Bytes, "IP octets that the interface sent", "bytes_out > 10MiB"),
    d(Field::Packets, "packets", &["pkts"], Kind::Count, "Packets of both directions", "packets > 10k"),
    d(Field::ForwardPackets, "forward_packets", &["fwd_packets"], Kind::Count, "Packets from the initiator", "forward_packets = 1"),
    d(Field::ReversePackets, "reverse_packets", &["rev_packets"], Kind::Count, "Packets from the responder", "reverse_packets = 0"),
    d(Field::Rate, "rate", &["bps"], Kind::Rate, "Mean bits per second: IP octets by duration, one second at least", "rate > 1Mbit"),
    d(Field::Duration, "duration", &["age"], Kind::Duration, "From the first packet to the last", "duration > 10s"),
    d(Field::Start, "start", &["first_seen"], Kind::Time, "Time of the first packet", "start >= 2026-11-21T04:00:00Z"),
    d(Field::End, "end", &["last_seen"], Kind::Time, "Time of the last packet", "end < 2026-11-21T05:00:00Z"),
    d(Field::Rtt, "rtt", &[], Kind::Duration, "TCP handshake round trip, both sides added", "rtt > 50ms"),
    d(Field::ServerRtt, "server_rtt", &["srtt"], Kind::Duration, "Capture point to server and back (SYN to SYN-ACK)", "server_rtt > 50ms"),
    d(Field::ClientRtt, "client_rtt", &["crtt"], Kind::Duration, "Capture point to client and back (SYN-ACK to ACK)", "client_rtt > 50ms"),
    d(Field::ResponseTime, "response_time", &["response"], Kind::Duration, "The application's own time to the first byte of its answer", "response_time > 1s"),
    d(Field::Retransmitted, "retransmitted", &["retransmissions", "retrans"], Kind::Count, "Retransmitted TCP segments of both directions", "retransmitted > 0"),
    d(Field::OutOfOrder, "out_of_order", &["ooo", "reordered"], Kind::Count, "TCP segments out of order, both directions", "out_of_order > 10"),
    d(Field::Duplicates, "duplicates", &["duplicate"], Kind::Count, "TCP segments that were already acknowledged, both directions", "duplicates > 0"),
    d(Field::ZeroWindows, "zero_windows", &["zero_window"], Kind::Count, "Zero windows announced, both directions", "zero_windows > 0"),
    d(Field::Id, "id", &["flow"], Kind::Id, "Identity of the record", "id = 0000000100000001"),
];
