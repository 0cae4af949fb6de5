//! What the test servers have observed: one minute of 200 conversations, some with names that somebody chose to do harm.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::time::Duration;

use netwatch_model::{
    AgentId, Batch, BatchKey, BootId, Counters, Direction, EndReason, Event, EventKind, FlowId, FlowRecord, FlowState,
    Label, Metric, NameSource, Process, Protocol, Record, Sample, Series, Severity, Timestamp, Untrusted, Value,
    VlanStack,
};
use netwatch_server::query::LiveStore;
use netwatch_server::store::StoreConfig;

/// The first packet.
pub const START: Timestamp = Timestamp::from_secs(1_700_000_000);
/// Seconds of data.
pub const SECONDS: u64 = 60;
/// Conversations.
pub const FLOWS: u32 = 200;
/// Names that flows 0 to 7 have.
pub const HOSTILE: [&str; 8] = [
    "<b>x</b>",
    "$(reboot)",
    "=1+1",
    "@SUM(A1)",
    "\u{202e}gnp.exe",
    "\u{1b}[31mred",
    "a,\"b\"\r\nc",
    "'; drop table flows; --",
];

/// A store that has seen it all.
pub fn store() -> LiveStore {
    let store = LiveStore::new(StoreConfig::default());
    let now = START + Duration::from_secs(SECONDS);
    for second in 0..=SECONDS {
        store.apply(&batch(second + 1, samples(second)), START + Duration::from_secs(second));
    }
    let flows = (0..FLOWS).map(|i| Record::Flow(Box::new(flow(i))));
    let events = (1..=3).map(|i| Record::Event(event(i)));
    store.apply(&batch(SECONDS + 2, flows.chain(events).collect()), now);
    store
}

/// A batch of the one agent.
pub fn batch(sequence: u64, records: Vec<Record>) -> Batch {
    Batch { key: BatchKey { agent: AgentId(1), boot: BootId(1), sequence }, records }
}

/// Flow `i` carries `i + 1` kB forward and 10 kB back in two seconds; every second one is still active.
pub fn flow(i: u32) -> FlowRecord {
    let start = START + Duration::from_secs(u64::from(i) % 50);
    let octets = u64::from(i + 1) * 1000;
    let name = match HOSTILE.get(i as usize) {
        Some(name) => Untrusted::new(name),
        None => Untrusted::new(&format!("www{}.example.com", i % 5)),
    };
    FlowRecord {
        id: FlowId::new(0, i, 1),
        interface: Untrusted::new("eth0"),
        source: IpAddr::V4(Ipv4Addr::new(10, 0, 0, u8::try_from(i % 50 + 1).unwrap())),
        destination: IpAddr::V4(Ipv4Addr::new(192, 0, 2, u8::try_from(i % 5 + 1).unwrap())),
        source_port: 40_000 + u16::try_from(i).unwrap(),
        destination_port: 443,
        protocol: Protocol::TCP,
        icmp_id: 0,
        vlan: VlanStack::EMPTY,
        tunnel: None,
        start,
        end: start + Duration::from_secs(2),
        forward: Counters { packets: 10, octets, l2_octets: octets + 140 },
        reverse: Counters { packets: 10, octets: 10_000, l2_octets: 10_140 },
        interface_octets: [10_000, octets],
        state: FlowState::Established,
        tcp: None,
        end_reason: i.is_multiple_of(2).then_some(EndReason::EndOfFlow),
        application: Arc::from("https"),
        name: Some((name, NameSource::Tls)),
        process: (i == 0).then(|| Arc::new(process())),
        conversations: 1,
    }
}

/// Event number `i`.
pub fn event(i: u64) -> Event {
    Event {
        time: START + Duration::from_secs(i),
        kind: EventKind::InterfaceRenamed,
        severity: Severity::Info,
        subject: Untrusted::new("<b>x</b>"),
        text: Untrusted::new(&format!("event {i}: eth0 is \u{1b}[31mred now")),
    }
}

/// The counters of `eth0` at the end of a second: 1000 octets a second in, 500 out.
pub fn samples(second: u64) -> Vec<Record> {
    let time = START + Duration::from_secs(second);
    let interface = || Label::Interface(Untrusted::new("eth0"));
    let sample = |metric, labels, value| {
        Record::Sample(Sample { series: Arc::new(Series { metric, labels }), time, value: Value::Integer(value) })
    };
    let ways = [(Direction::In, 1000), (Direction::Out, 500)];
    let traffic = ways.into_iter().flat_map(|(direction, rate)| {
        let labels = move || vec![interface(), Label::Direction(direction)];
        [
            sample(Metric::TrafficOctets, labels(), rate * second),
            sample(Metric::TrafficPackets, labels(), rate / 100 * second),
        ]
    });
    traffic.chain([sample(Metric::FramesReceived, vec![interface()], 15 * second)]).collect()
}

fn process() -> Process {
    Process {
        pid: 4711,
        name: Untrusted::new("-evil\u{7}"),
        user: Untrusted::new("root"),
        container: Some(Untrusted::new("+1")),
    }
}
