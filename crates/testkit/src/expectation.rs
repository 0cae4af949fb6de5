//! What must come out of a capture, as its golden file says.
//!
//! A field that a golden file leaves out is not looked at: a case says what its quirk is about. Addresses, ports, protocol, tags,
//! tunnel, packets and octets are always said.

use std::fmt::Write as _;
use std::net::IpAddr;
use std::time::Duration;

use netwatch_model::{EndReason, FlowRecord, FlowState, NameSource, Timestamp, TunnelKind};
use serde::Deserialize;

/// A golden file.
#[derive(Clone, PartialEq, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Expectation {
    /// What the quirk is.
    pub about: String,
    /// Packets in the file.
    pub frames: u64,
    /// Frames that belong to no conversation: not IP, broken, or cut before their ports.
    #[serde(default)]
    pub without_flow: u64,
    /// Fragments whose first fragment is not in the file.
    #[serde(default)]
    pub fragments_unknown: u64,
    /// One entry for each record that ends, in any order.
    #[serde(default)]
    pub record: Vec<ExpectedRecord>,
}

/// A record that must come out; the fields are those of [`FlowRecord`].
#[derive(Clone, PartialEq, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "documented at FlowRecord")]
pub struct ExpectedRecord {
    pub source: IpAddr,
    pub destination: IpAddr,
    #[serde(default)]
    pub source_port: u16,
    #[serde(default)]
    pub destination_port: u16,
    pub protocol: u8,
    #[serde(default)]
    pub icmp_id: u16,
    #[serde(default)]
    pub vlan: Vec<u16>,
    pub tunnel: Option<ExpectedTunnel>,
    pub packets: u64,
    pub reverse_packets: u64,
    pub octets: u64,
    pub reverse_octets: u64,
    pub l2_octets: Option<u64>,
    pub reverse_l2_octets: Option<u64>,
    pub start: Option<Timestamp>,
    pub end: Option<Timestamp>,
    pub end_reason: Option<EndReason>,
    pub state: Option<FlowState>,
    pub name: Option<String>,
    pub name_source: Option<NameSource>,
    pub application: Option<String>,
    pub tcp: Option<ExpectedTcp>,
}

/// The tunnel of an inner record.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "documented at Tunnel")]
pub struct ExpectedTunnel {
    pub kind: TunnelKind,
    pub id: u32,
}

/// TCP quality; the fields are those of `TcpMetrics`, times in milliseconds.
#[derive(Clone, PartialEq, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "documented at TcpMetrics")]
pub struct ExpectedTcp {
    pub flags: Option<u8>,
    pub reverse_flags: Option<u8>,
    pub server_rtt_ms: Option<u64>,
    pub client_rtt_ms: Option<u64>,
    pub response_time_ms: Option<u64>,
    pub retransmitted: Option<u32>,
    pub reverse_retransmitted: Option<u32>,
    pub out_of_order: Option<u32>,
    pub reverse_out_of_order: Option<u32>,
    pub duplicates: Option<u32>,
    pub reverse_duplicates: Option<u32>,
    pub zero_windows: Option<u32>,
    pub reverse_zero_windows: Option<u32>,
}

impl Expectation {
    /// Reads a golden file.
    ///
    /// # Errors
    /// When it is none, with the line.
    pub fn parse(text: &str) -> Result<Self, toml::de::Error> {
        toml::from_str(text)
    }

    /// Compares with the records that ended (the last of each flow id), in any order.
    ///
    /// # Errors
    /// Every difference, one in each line.
    pub fn compare(&self, records: &[FlowRecord]) -> Result<(), String> {
        let mut left: Vec<&FlowRecord> = records.iter().collect();
        let mut report = String::new();
        for expected in &self.record {
            let differences = |record: &FlowRecord| expected.differences(record);
            let nearest = left
                .iter()
                .enumerate()
                .min_by_key(|(_, record)| (!expected.has_key_of(record), differences(record).len()));
            let Some((index, record)) = nearest.filter(|(_, record)| expected.has_key_of(record)) else {
                let _ = writeln!(report, "missing: {}", expected.title());
                continue;
            };
            for difference in differences(record) {
                let _ = writeln!(report, "{}: {difference}", expected.title());
            }
            left.swap_remove(index);
        }
        for record in left {
            let _ = writeln!(report, "unexpected: {record:?}");
        }
        if report.is_empty() { Ok(()) } else { Err(report) }
    }
}

impl ExpectedRecord {
    fn title(&self) -> String {
        let Self { source, source_port, destination, destination_port, protocol, vlan, tunnel, .. } = self;
        let tunnel = tunnel.map_or(String::new(), |tunnel| format!(" in {} {}", tunnel.kind.as_str(), tunnel.id));
        format!("{source} {source_port} > {destination} {destination_port} protocol {protocol} vlan {vlan:?}{tunnel}")
    }

    /// Whether the record is about the same conversation.
    fn has_key_of(&self, record: &FlowRecord) -> bool {
        let tunnel = record.tunnel.map(|tunnel| ExpectedTunnel { kind: tunnel.kind, id: tunnel.id });
        self.source == record.source
            && self.destination == record.destination
            && self.source_port == record.source_port
            && self.destination_port == record.destination_port
            && self.protocol == record.protocol.0
            && self.icmp_id == record.icmp_id
            && self.vlan == record.vlan.as_slice()
            && self.tunnel == tunnel
    }

    /// What differs, as text.
    fn differences(&self, record: &FlowRecord) -> Vec<String> {
        let (forward, reverse) = (record.forward, record.reverse);
        let name = record.name.as_ref();
        let mut list = Differences::default();
        list.look("packets", Some(self.packets), &forward.packets);
        list.look("reverse_packets", Some(self.reverse_packets), &reverse.packets);
        list.look("octets", Some(self.octets), &forward.octets);
        list.look("reverse_octets", Some(self.reverse_octets), &reverse.octets);
        list.look("l2_octets", self.l2_octets, &forward.l2_octets);
        list.look("reverse_l2_octets", self.reverse_l2_octets, &reverse.l2_octets);
        list.look("start", self.start, &record.start);
        list.look("end", self.end, &record.end);
        list.look("end_reason", self.end_reason.map(Some), &record.end_reason);
        list.look("state", self.state, &record.state);
        list.look("name", self.name.as_deref().map(Some), &name.map(|(name, _)| name.raw()));
        list.look("name_source", self.name_source.map(Some), &name.map(|(_, source)| *source));
        list.look("application", self.application.as_deref(), &&*record.application);
        if let Some(tcp) = &self.tcp {
            tcp.differences(record, &mut list);
        }
        list.0
    }
}

impl ExpectedTcp {
    fn differences(&self, record: &FlowRecord, list: &mut Differences) {
        let Some(tcp) = record.tcp else {
            list.look("tcp", Some("present"), &"absent");
            return;
        };
        let time = |wanted: Option<u64>| wanted.map(|ms| Some(Duration::from_millis(ms)));
        list.look("flags", self.flags, &tcp.flags);
        list.look("reverse_flags", self.reverse_flags, &tcp.reverse_flags);
        list.look("server_rtt", time(self.server_rtt_ms), &tcp.server_rtt);
        list.look("client_rtt", time(self.client_rtt_ms), &tcp.client_rtt);
        list.look("response_time", time(self.response_time_ms), &tcp.response_time);
        list.look("retransmitted", self.retransmitted, &tcp.retransmitted);
        list.look("reverse_retransmitted", self.reverse_retransmitted, &tcp.reverse_retransmitted);
        list.look("out_of_order", self.out_of_order, &tcp.out_of_order);
        list.look("reverse_out_of_order", self.reverse_out_of_order, &tcp.reverse_out_of_order);
        list.look("duplicates", self.duplicates, &tcp.duplicates);
        list.look("reverse_duplicates", self.reverse_duplicates, &tcp.reverse_duplicates);
        list.look("zero_windows", self.zero_windows, &tcp.zero_windows);
        list.look("reverse_zero_windows", self.reverse_zero_windows, &tcp.reverse_zero_windows);
    }
}

#[derive(Default)]
struct Differences(Vec<String>);

impl Differences {
    /// Notes a difference when `wanted` says something and `found` is something else.
    fn look<T: PartialEq + std::fmt::Debug>(&mut self, field: &str, wanted: Option<T>, found: &T) {
        if let Some(wanted) = wanted.filter(|wanted| *wanted != *found) {
            self.0.push(format!("{field}: expected {wanted:?}, found {found:?}"));
        }
    }
}
