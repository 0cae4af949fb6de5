//! Records for tests.

mod any;

use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use netwatch_model::{
    AgentId, Batch, BatchKey, BootId, Counters, FlowId, FlowRecord, FlowState, Protocol, Record, TcpMetrics, Timestamp,
    VlanStack,
};

pub(crate) use any::{FILTERS, any_record};

/// A plain TCP flow number `n` that began and ended at that second.
pub(crate) fn record(n: u32, second: i64) -> FlowRecord {
    let time = Timestamp::from_secs(second);
    let counters = |octets, packets| Counters { packets, octets, l2_octets: octets + 14 * packets };
    FlowRecord {
        id: FlowId::new(0, n % 65_536, n / 65_536 + 1),
        interface: "eth0".into(),
        source: IpAddr::V4(Ipv4Addr::from_bits(0x0a00_0000 + n % 1000)),
        destination: IpAddr::V4(Ipv4Addr::from_bits(0xc000_0200 + n % 50)),
        source_port: 32_768 + (n % 28_000) as u16,
        destination_port: 443,
        protocol: Protocol::TCP,
        icmp_id: 0,
        vlan: VlanStack::EMPTY,
        tunnel: None,
        start: time,
        end: time,
        forward: counters(u64::from(n % 977) + 40, 1),
        reverse: counters(u64::from(n % 3571) + 60, 2),
        interface_octets: [u64::from(n % 3571) + 60, u64::from(n % 977) + 40],
        state: FlowState::Established,
        tcp: Some(TcpMetrics { flags: 0x1a, server_rtt: Some(Duration::from_micros(500)), ..TcpMetrics::default() }),
        end_reason: None,
        application: "https".into(),
        name: None,
        process: None,
        conversations: 1,
    }
}

/// A batch of flow records.
pub(crate) fn batch_of(sequence: u64, flows: impl IntoIterator<Item = FlowRecord>) -> Batch {
    let key = BatchKey { agent: AgentId(1), boot: BootId(1), sequence };
    Batch { key, records: flows.into_iter().map(|f| Record::Flow(Box::new(f))).collect() }
}
