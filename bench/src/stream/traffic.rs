//! Made-up traffic of 2 000 conversations, a batch of it four times a second.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::time::Duration;

use netwatch_model::{
    AgentId, Batch, BatchKey, BootId, Counters, Direction, FlowId, FlowRecord, FlowState, Label, Metric, NameSource,
    Protocol, Record, Sample, Series, Timestamp, Untrusted, Value, VlanStack,
};
use netwatch_server::query::LiveStore;
use netwatch_server::store::StoreConfig;
use netwatch_telemetry::clock::{self, SystemClock};

use super::serve;
use crate::error::BenchError;

/// Conversations, of which each tick changes a quarter.
const FLOWS: u32 = 2000;
/// Time between batches, as an agent's.
const TICK: Duration = Duration::from_millis(250);

/// Serves it until the bench is gone.
pub(super) async fn serve_it() -> Result<String, BenchError> {
    let store = Arc::new(LiveStore::new(StoreConfig::default()));
    serve::serve(Arc::clone(&store), Arc::new(SystemClock), feed(store)).await
}

async fn feed(store: Arc<LiveStore>) {
    let mut ticks = tokio::time::interval(TICK);
    let start = clock::now();
    for sequence in 1_u32.. {
        ticks.tick().await;
        let now = clock::now();
        let changed = (0..FLOWS).filter(|i| i % 4 == sequence % 4);
        let flows = changed.map(|i| Record::Flow(Box::new(flow(i, sequence, start, now))));
        let records = flows.chain(samples(sequence, now)).collect();
        let key = BatchKey { agent: AgentId(1), boot: BootId(1), sequence: u64::from(sequence) };
        store.apply(&Batch { key, records }, now);
    }
}

/// Flow `i` at tick `tick`: the lower its number the more it carries.
fn flow(i: u32, tick: u32, start: Timestamp, now: Timestamp) -> FlowRecord {
    let octets = u64::from(tick) * (1 + u64::from(FLOWS - i) * 10);
    let carried = Counters { packets: octets / 1000 + 1, octets, l2_octets: octets + 14 };
    FlowRecord {
        id: FlowId::new(0, i, 1),
        interface: Untrusted::new("bench0"),
        source: IpAddr::V4(Ipv4Addr::from_bits(0x0a00_0000 | (i % 200))),
        destination: IpAddr::V4(Ipv4Addr::from_bits(0xc000_0200 | (i % 50))),
        source_port: 40_000 + u16::try_from(i).unwrap_or(0),
        destination_port: 443,
        protocol: Protocol::TCP,
        icmp_id: 0,
        vlan: VlanStack::EMPTY,
        tunnel: None,
        start,
        end: now,
        forward: carried,
        reverse: carried,
        interface_octets: [octets, octets],
        state: FlowState::Established,
        tcp: None,
        end_reason: None,
        application: Arc::from("https"),
        name: Some((Untrusted::new(&format!("www{}.example.com", i % 50)), NameSource::Tls)),
        process: None,
        conversations: 1,
    }
}

fn samples(tick: u32, time: Timestamp) -> impl Iterator<Item = Record> {
    [Direction::In, Direction::Out].into_iter().flat_map(move |direction| {
        [(Metric::TrafficOctets, 250_000), (Metric::TrafficPackets, 250)].map(|(metric, each)| {
            let labels = vec![Label::Interface(Untrusted::new("bench0")), Label::Direction(direction)];
            let value = Value::Integer(u64::from(tick) * each);
            Record::Sample(Sample { series: Arc::new(Series { metric, labels }), time, value })
        })
    })
}
