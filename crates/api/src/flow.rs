//! Flows: the record as every surface shows it, and the questions about flows.

use netwatch_model::{FlowRecord, Timestamp};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

/// One flow: what a two-way conversation has carried. Source is the initiator.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, ToSchema)]
pub struct Flow {
    /// Identity of the record: 16 hexadecimal digits.
    pub id: String,
    /// Address of the initiator; unspecified for the "other" row.
    pub source: String,
    /// Address of the responder.
    pub destination: String,
    /// Port of the initiator; zero where the protocol has none.
    pub source_port: u16,
    /// Port of the responder; for ICMP type × 256 + code of the first message.
    pub destination_port: u16,
    /// IP protocol number (IANA).
    pub protocol: u8,
    /// VLAN identifiers, outermost first.
    pub vlan: Vec<u16>,
    /// Packets from source to destination.
    pub packets: u64,
    /// Packets from destination to source.
    pub reverse_packets: u64,
    /// IP octets (header and payload) from source to destination.
    pub octets: u64,
    /// IP octets from destination to source.
    pub reverse_octets: u64,
    /// Frame octets without check sequence from source to destination.
    pub l2_octets: u64,
    /// Frame octets from destination to source.
    pub reverse_l2_octets: u64,
    /// Time of the first packet.
    #[schema(value_type = String, format = DateTime)]
    pub start: Timestamp,
    /// Time of the last packet so far.
    #[schema(value_type = String, format = DateTime)]
    pub end: Timestamp,
    /// Why the record ended (`idle_timeout`, `active_timeout`, `end_of_flow`, `forced_end`, `lack_of_resources`), null while active.
    pub end_reason: Option<String>,
    /// Application name; "unknown" when nothing fits.
    pub application: String,
    /// Name of the responder's service, when one was seen.
    pub name: Option<String>,
    /// Where the name was seen: `tls`, `quic`, `http` or `dns`.
    pub name_source: Option<String>,
    /// Interface or capture file.
    pub interface: String,
    /// `opening`, `established`, `closing`, `closed`, `refused`, `reset`, or `active` where there is no state.
    pub state: String,
    /// ICMP echo identifier, null for all others.
    pub icmp_id: Option<u16>,
    /// Tunnel in which these packets travelled: never add such a flow to the outer one.
    pub tunnel: Option<FlowTunnel>,
    /// TCP quality, null for other protocols.
    pub tcp: Option<FlowTcp>,
    /// The local process that owns the socket.
    pub process: Option<FlowProcess>,
    /// IP octets received by the capturing interface.
    pub octets_in: u64,
    /// IP octets sent by the capturing interface.
    pub octets_out: u64,
    /// How many conversations the row stands for: 1, or more for the "other" row.
    pub conversations: u64,
}

/// The tunnel of an inner flow.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
pub struct FlowTunnel {
    /// `gre`, `vxlan` or `ipip`.
    pub kind: String,
    /// GRE key or VXLAN network identifier; zero when there is none.
    pub id: u32,
}

/// TCP quality of a flow; "reverse" is from the responder.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, ToSchema)]
pub struct FlowTcp {
    /// OR of the initiator's flags as letters in the order `FSRPAUEC`.
    pub flags: String,
    /// OR of the responder's flags.
    pub reverse_flags: String,
    /// SYN to SYN-ACK in seconds: capture point to server and back.
    pub server_rtt: Option<f64>,
    /// SYN-ACK to ACK in seconds: capture point to client and back.
    pub client_rtt: Option<f64>,
    /// Request to first response byte less the server-side round trip, in seconds: the application's own time.
    pub response_time: Option<f64>,
    /// Retransmitted segments of the initiator.
    pub retransmitted: u32,
    /// Retransmitted segments of the responder.
    pub reverse_retransmitted: u32,
    /// Out-of-order segments of the initiator.
    pub out_of_order: u32,
    /// Out-of-order segments of the responder.
    pub reverse_out_of_order: u32,
    /// Segments of the initiator that the responder had already acknowledged.
    pub duplicates: u32,
    /// Segments of the responder that the initiator had already acknowledged.
    pub reverse_duplicates: u32,
    /// Zero windows announced by the initiator.
    pub zero_windows: u32,
    /// Zero windows announced by the responder.
    pub reverse_zero_windows: u32,
}

/// The process that owns a flow's local socket.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
pub struct FlowProcess {
    /// Process id.
    pub pid: u32,
    /// Process name.
    pub name: String,
    /// User name or number.
    pub user: String,
    /// Container id or name.
    pub container: Option<String>,
}

/// The flags of `bits` as letters in the order `FSRPAUEC`.
#[must_use]
pub fn tcp_flag_letters(bits: u8) -> String {
    "FSRPAUEC".chars().enumerate().filter(|(i, _)| bits & (1 << i) != 0).map(|(_, c)| c).collect()
}

impl From<&FlowRecord> for Flow {
    fn from(r: &FlowRecord) -> Self {
        let icmp = matches!(r.protocol.0, 1 | 58) && !r.is_other();
        Self {
            id: r.id.to_string(),
            source: r.source.to_string(),
            destination: r.destination.to_string(),
            source_port: r.source_port,
            destination_port: r.destination_port,
            protocol: r.protocol.0,
            vlan: r.vlan.as_slice().to_vec(),
            packets: r.forward.packets,
            reverse_packets: r.reverse.packets,
            octets: r.forward.octets,
            reverse_octets: r.reverse.octets,
            l2_octets: r.forward.l2_octets,
            reverse_l2_octets: r.reverse.l2_octets,
            start: r.start,
            end: r.end,
            end_reason: r.end_reason.map(|e| e.as_str().to_owned()),
            application: r.application.to_string(),
            name: r.name.as_ref().map(|(n, _)| n.to_string()),
            name_source: r.name.as_ref().map(|(_, s)| s.as_str().to_owned()),
            interface: r.interface.to_string(),
            state: r.state.as_str().to_owned(),
            icmp_id: icmp.then_some(r.icmp_id),
            tunnel: r.tunnel.map(|t| FlowTunnel { kind: t.kind.as_str().to_owned(), id: t.id }),
            tcp: r.tcp.as_ref().map(FlowTcp::from),
            process: r.process.as_deref().map(FlowProcess::from),
            octets_in: r.interface_octets[0],
            octets_out: r.interface_octets[1],
            conversations: r.conversations,
        }
    }
}

impl From<&netwatch_model::TcpMetrics> for FlowTcp {
    fn from(t: &netwatch_model::TcpMetrics) -> Self {
        Self {
            flags: tcp_flag_letters(t.flags),
            reverse_flags: tcp_flag_letters(t.reverse_flags),
            server_rtt: t.server_rtt.map(|d| d.as_secs_f64()),
            client_rtt: t.client_rtt.map(|d| d.as_secs_f64()),
            response_time: t.response_time.map(|d| d.as_secs_f64()),
            retransmitted: t.retransmitted,
            reverse_retransmitted: t.reverse_retransmitted,
            out_of_order: t.out_of_order,
            reverse_out_of_order: t.reverse_out_of_order,
            duplicates: t.duplicates,
            reverse_duplicates: t.reverse_duplicates,
            zero_windows: t.zero_windows,
            reverse_zero_windows: t.reverse_zero_windows,
        }
    }
}

impl From<&netwatch_model::Process> for FlowProcess {
    fn from(p: &netwatch_model::Process) -> Self {
        Self {
            pid: p.pid,
            name: p.name.to_string(),
            user: p.user.to_string(),
            container: p.container.as_ref().map(ToString::to_string),
        }
    }
}

/// Which column orders a list of flows.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum FlowSort {
    /// IP octets of both directions.
    #[default]
    Bytes,
    /// Packets of both directions.
    Packets,
    /// `end` − `start`.
    Duration,
    /// Octets by duration (one second at least).
    Rate,
    /// Time of the first packet.
    Start,
}

/// Ascending or descending.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum SortOrder {
    /// Largest (latest) first.
    #[default]
    Desc,
    /// Smallest (earliest) first.
    Asc,
}

/// Whether active flows, ended records or both are wanted.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum FlowStatus {
    /// Both.
    #[default]
    All,
    /// Only flows that are still active.
    Active,
    /// Only records that have ended.
    Ended,
}

/// `GET /api/v1/flows`
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize, IntoParams)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
pub struct FlowsQuery {
    /// Flows whose last packet is at or after this time: RFC 3339, or relative to now as `-15m`. Default: everything kept.
    pub from: Option<String>,
    /// Flows whose first packet is before this time: RFC 3339, `now`, or relative as `-5m`. Default: now.
    pub to: Option<String>,
    /// Filter text, for example `src in 10.0.0.0/8 and not port 443`.
    pub filter: Option<String>,
    /// Active, ended or all.
    #[param(inline)]
    pub status: Option<FlowStatus>,
    /// Column that orders the list.
    #[param(inline)]
    pub sort: Option<FlowSort>,
    /// Direction of the order.
    #[param(inline)]
    pub order: Option<SortOrder>,
    /// Rows in a page, 1 to 1000. Default 50.
    #[param(minimum = 1, maximum = 1000)]
    pub limit: Option<u32>,
    /// `next_cursor` of the page before; all other parameters must be unchanged.
    pub cursor: Option<String>,
    /// `json` or `csv`. Default: what `Accept` asks for, else `json`.
    #[param(inline)]
    pub format: Option<Format>,
}

/// How a list is written.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Format {
    /// `application/json`.
    #[default]
    Json,
    /// `text/csv` (RFC 4180) with a header line; cells that a spreadsheet would take for a formula begin with an apostrophe.
    Csv,
}

/// A page of flows.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, ToSchema)]
pub struct FlowPage {
    /// The rows.
    pub items: Vec<Flow>,
    /// For the next page; null at the end. Pages made from one first page never show a flow twice and never skip one.
    pub next_cursor: Option<String>,
    /// Flows that match, when counted (null when the filter made counting too costly).
    pub matched: Option<u64>,
    /// Time as of which the order holds.
    #[schema(value_type = String, format = DateTime)]
    pub as_of: Timestamp,
    /// Conversations that had no row of their own in the time range (full table): counted, not listed.
    pub other_conversations: u64,
}

/// One flow with its own chart.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, ToSchema)]
pub struct FlowDetail {
    /// The flow.
    pub flow: Flow,
    /// Its history, oldest first; points are absent where nothing was carried.
    pub points: Vec<FlowPoint>,
    /// Seconds that a point stands for.
    pub step: f64,
}

/// What a flow carried in one step.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize, ToSchema)]
pub struct FlowPoint {
    /// Start of the step.
    #[schema(value_type = String, format = DateTime)]
    pub time: Timestamp,
    /// IP octets from source to destination.
    pub octets: u64,
    /// IP octets from destination to source.
    pub reverse_octets: u64,
    /// Packets from source to destination.
    pub packets: u64,
    /// Packets from destination to source.
    pub reverse_packets: u64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_are_letters_in_bit_order() {
        assert_eq!(tcp_flag_letters(0x1b), "FSPA");
        assert_eq!(tcp_flag_letters(0), "");
    }
}
