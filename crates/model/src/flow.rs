//! Flow records: what one two-way conversation carried.
//!
//! Semantics follow IPFIX (RFC 7011, RFC 5103 for two-way flows): source is the initiator, octets are those of the IP packet
//! (`octetDeltaCount`), layer-2 octets those of the frame without its check sequence, VLAN tags included
//! (`layer2OctetDeltaCount`). A record is *cumulative from `start`*: a later record with the same id replaces the earlier one,
//! so that a repeated or lost delivery never changes a sum.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::{FlowId, Protocol, Timestamp, Untrusted, VlanStack};

/// What a flow carried in one direction.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Counters {
    /// Packets on the wire: a super-frame of segmentation offload counts as the segments that it stands for.
    pub packets: u64,
    /// Octets of IP header and payload.
    pub octets: u64,
    /// Octets of the frames without check sequence, VLAN tags and padding included.
    pub l2_octets: u64,
}

impl Counters {
    /// Both directions added.
    #[must_use]
    pub const fn plus(self, other: Self) -> Self {
        Self {
            packets: self.packets.saturating_add(other.packets),
            octets: self.octets.saturating_add(other.octets),
            l2_octets: self.l2_octets.saturating_add(other.l2_octets),
        }
    }

    /// What was added since `earlier`; zero where `earlier` is larger.
    #[must_use]
    pub const fn since(self, earlier: Self) -> Self {
        Self {
            packets: self.packets.saturating_sub(earlier.packets),
            octets: self.octets.saturating_sub(earlier.octets),
            l2_octets: self.l2_octets.saturating_sub(earlier.l2_octets),
        }
    }
}

/// Why a record ended: `flowEndReason` of IPFIX.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EndReason {
    /// 1: nothing was seen for the idle timeout.
    IdleTimeout = 1,
    /// 2: the flow goes on in a new record after the active timeout.
    ActiveTimeout = 2,
    /// 3: the end was seen (FIN in both directions, RST, or a new SYN).
    EndOfFlow = 3,
    /// 4: the source ended: capture stopped, or the file is at its end.
    ForcedEnd = 4,
    /// 5: the table was full.
    LackOfResources = 5,
}

impl EndReason {
    /// All reasons, in IPFIX order.
    pub const ALL: [Self; 5] =
        [Self::IdleTimeout, Self::ActiveTimeout, Self::EndOfFlow, Self::ForcedEnd, Self::LackOfResources];

    /// The word used in every surface.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::IdleTimeout => "idle_timeout",
            Self::ActiveTimeout => "active_timeout",
            Self::EndOfFlow => "end_of_flow",
            Self::ForcedEnd => "forced_end",
            Self::LackOfResources => "lack_of_resources",
        }
    }
}

/// Where a conversation stands, as its packets tell.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FlowState {
    /// Not TCP, or TCP seen from the middle: packets flow.
    #[default]
    Active,
    /// TCP: SYN seen, nothing else.
    Opening,
    /// TCP: handshake seen.
    Established,
    /// TCP: one side has sent FIN.
    Closing,
    /// TCP: both sides have sent FIN.
    Closed,
    /// TCP: the SYN was answered by RST.
    Refused,
    /// TCP: reset after it was established.
    Reset,
}

impl FlowState {
    /// All states.
    pub const ALL: [Self; 7] =
        [Self::Active, Self::Opening, Self::Established, Self::Closing, Self::Closed, Self::Refused, Self::Reset];

    /// The word used in every surface.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Opening => "opening",
            Self::Established => "established",
            Self::Closing => "closing",
            Self::Closed => "closed",
            Self::Refused => "refused",
            Self::Reset => "reset",
        }
    }
}

/// How the flow was carried inside another packet.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum TunnelKind {
    /// GRE (RFC 2784, 2890); the id is the key, zero when absent.
    Gre,
    /// VXLAN (RFC 7348); the id is the network identifier.
    Vxlan,
    /// IPv4 or IPv6 in IP (RFC 2003, 4213, 2473); no id.
    Ipip,
}

impl TunnelKind {
    /// The word used in every surface.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Gre => "gre",
            Self::Vxlan => "vxlan",
            Self::Ipip => "ipip",
        }
    }
}

/// The tunnel of an inner flow. Inner octets are also part of an outer flow: never add the two.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Tunnel {
    /// Which encapsulation.
    pub kind: TunnelKind,
    /// GRE key or VXLAN network identifier, else zero.
    pub id: u32,
}

/// What TCP tells about network and application; forward is from the initiator.
///
/// Counts saturate. Times are absent when the packets that define them were not seen.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct TcpMetrics {
    /// OR of the flags of the initiator's segments (FIN 1, SYN 2, RST 4, PSH 8, ACK 16, URG 32, ECE 64, CWR 128).
    pub flags: u8,
    /// The same for the responder.
    pub reverse_flags: u8,
    /// SYN to SYN-ACK at the point of capture: the path to the server and back.
    pub server_rtt: Option<Duration>,
    /// SYN-ACK to ACK at the point of capture: the path to the client and back.
    pub client_rtt: Option<Duration>,
    /// First request byte to first response byte, less the server-side round trip: the application's own time.
    pub response_time: Option<Duration>,
    /// Segments whose bytes were all sent before, and that carry data not yet acknowledged.
    pub retransmitted: u32,
    /// The same for the responder.
    pub reverse_retransmitted: u32,
    /// Segments that came before one with lower sequence numbers (seen late, within 3 ms of the gap or less than one RTT).
    pub out_of_order: u32,
    /// The same for the responder.
    pub reverse_out_of_order: u32,
    /// Segments whose bytes the other side had already acknowledged.
    pub duplicates: u32,
    /// The same for the responder.
    pub reverse_duplicates: u32,
    /// Announcements of a zero receive window by the initiator.
    pub zero_windows: u32,
    /// The same by the responder.
    pub reverse_zero_windows: u32,
}

/// Where a flow's name was seen; the better source wins.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum NameSource {
    /// A DNS answer on the wire mapped the address to the name.
    Dns,
    /// Host header of plain HTTP.
    Http,
    /// Server name indication of a QUIC hello.
    Quic,
    /// Server name indication of a TLS hello.
    Tls,
}

impl NameSource {
    /// The word used in every surface.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Dns => "dns",
            Self::Http => "http",
            Self::Quic => "quic",
            Self::Tls => "tls",
        }
    }
}

/// The local process that owns the flow's socket, on the machine that captures.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub struct Process {
    /// Process id when it was looked up.
    pub pid: u32,
    /// Its name (`comm`).
    pub name: Untrusted,
    /// Its user: a name, or a number where the name is unknown.
    pub user: Untrusted,
    /// Its container's id (12 digits) or name, when it runs in one.
    pub container: Option<Untrusted>,
}

/// What one two-way conversation carried from `start` to `end`.
#[derive(Clone, PartialEq, Debug)]
pub struct FlowRecord {
    /// Identity within the agent's run.
    pub id: FlowId,
    /// The interface (or capture file) that saw it.
    pub interface: Untrusted,
    /// The initiator.
    pub source: IpAddr,
    /// The responder.
    pub destination: IpAddr,
    /// The initiator's port; for ICMP zero.
    pub source_port: u16,
    /// The responder's port; for ICMP type × 256 + code of the first message, as in NetFlow.
    pub destination_port: u16,
    /// IP protocol.
    pub protocol: Protocol,
    /// ICMP echo identifier, zero for everything else.
    pub icmp_id: u16,
    /// VLAN identifiers of the frames, outermost first.
    pub vlan: VlanStack,
    /// Set when these packets travelled inside another flow's packets.
    pub tunnel: Option<Tunnel>,
    /// The first packet.
    pub start: Timestamp,
    /// The last packet so far.
    pub end: Timestamp,
    /// From source to destination.
    pub forward: Counters,
    /// From destination to source.
    pub reverse: Counters,
    /// What was seen in and out of the interface, both ends added (`[in, out]`, L3 octets): tells upload from download.
    pub interface_octets: [u64; 2],
    /// Where the conversation stands.
    pub state: FlowState,
    /// Present for TCP.
    pub tcp: Option<TcpMetrics>,
    /// Absent while the flow is active.
    pub end_reason: Option<EndReason>,
    /// The application, from the data file of applications ("https", "dns"); "unknown" when nothing fits.
    pub application: Arc<str>,
    /// The name of the responder's service.
    pub name: Option<(Untrusted, NameSource)>,
    /// The local process.
    pub process: Option<Arc<Process>>,
    /// How many conversations this record stands for. More than 1: too many ended at once to be told apart; the sums are right,
    /// an address that they have in common is given, and what differs is unspecified or zero.
    pub conversations: u64,
}

impl FlowRecord {
    /// Both directions added.
    #[must_use]
    pub const fn total(&self) -> Counters {
        self.forward.plus(self.reverse)
    }

    /// `end` − `start`.
    #[must_use]
    pub fn duration(&self) -> Duration {
        self.end.since(self.start)
    }

    /// Whether the record stands for several conversations that had no record of their own.
    #[must_use]
    pub const fn is_other(&self) -> bool {
        self.conversations != 1
    }
}
