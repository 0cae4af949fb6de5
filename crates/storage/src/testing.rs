//! Records for tests.

use std::net::{IpAddr, Ipv4Addr};

use netwatch_model::{Counters, EndReason, FlowId, FlowRecord, FlowState, Protocol, Timestamp, Untrusted, VlanStack};

/// 2026-11-20T00:00:00Z
pub(crate) const DAY_START: i64 = 1_795_132_800;

/// A flow of 192.0.2.n to 198.51.100.1, with that many octets sent, half as many received, within the first minute of a day.
pub(crate) fn record(n: u8, octets: u64) -> FlowRecord {
    let count = |octets: u64| Counters { packets: octets / 100, octets, l2_octets: octets + octets / 100 * 14 };
    FlowRecord {
        id: FlowId::new(0, n.into(), 0),
        interface: Untrusted::new("eth0"),
        source: IpAddr::V4(Ipv4Addr::new(192, 0, 2, n)),
        destination: IpAddr::V4(Ipv4Addr::new(198, 51, 100, 1)),
        source_port: 40_000 + u16::from(n),
        destination_port: 443,
        protocol: Protocol::TCP,
        icmp_id: 0,
        vlan: VlanStack::EMPTY,
        tunnel: None,
        start: Timestamp::from_secs(DAY_START + 10),
        end: Timestamp::from_secs(DAY_START + 20),
        forward: count(octets),
        reverse: count(octets / 2),
        interface_octets: [octets / 2, octets],
        state: FlowState::Established,
        tcp: None,
        end_reason: None,
        application: "https".into(),
        name: None,
        process: None,
        conversations: 1,
    }
}

/// The same, ended.
pub(crate) fn ended(n: u8, octets: u64) -> FlowRecord {
    FlowRecord { end_reason: Some(EndReason::EndOfFlow), ..record(n, octets) }
}
