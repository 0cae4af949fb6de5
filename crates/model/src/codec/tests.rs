//! A batch comes back as it was; any other bytes are an error and never a panic.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;

use super::bytes::{put, put_slice};
use super::*;
use crate::{
    AgentId, BootId, Counters, Direction, EndReason, Event, EventKind, FlowId, FlowRecord, FlowState, Label, Metric,
    NameSource, Process, Protocol, Record, Sample, Series, Severity, TcpMetrics, Timestamp, Tunnel, TunnelKind,
    Untrusted, Value, VlanStack,
};

mod sharing;

const KEY: BatchKey = BatchKey { agent: AgentId(7), boot: BootId(u64::MAX), sequence: 3 };

fn any_text() -> impl Strategy<Value = String> {
    prop_oneof![3 => "[a-z]{1,6}", 1 => ".{0,20}"]
}

fn any_series() -> impl Strategy<Value = Arc<Series>> {
    let label = prop_oneof![
        any_text().prop_map(|t| Label::Interface(Untrusted::new(&t))),
        select(vec![Direction::In, Direction::Out]).prop_map(Label::Direction),
        any_text().prop_map(|t| Label::Protocol(t.into())),
        any_text().prop_map(|t| Label::Application(t.into())),
        any_text().prop_map(|t| Label::Reason(t.into())),
        "[a-z_:][a-z0-9_:]{0,40}".prop_map(|t| Label::Name(t.into())),
        ("[a-z_][a-z0-9_]{0,40}", any_text()).prop_map(|(n, v)| Label::Other(n.into(), Untrusted::new(&v))),
    ];
    let metric = select(vec![Metric::TrafficOctets, Metric::RingFill, Metric::FragmentsUnknown, Metric::External]);
    (metric, vec(label, 0..4)).prop_map(|(metric, labels)| Arc::new(Series { metric, labels }))
}

fn any_value() -> impl Strategy<Value = Value> {
    prop_oneof![
        any::<u64>().prop_map(Value::Integer),
        (0..100_000_u64).prop_map(Value::Integer),
        any::<f64>().prop_filter("NaN is not equal to itself", |x| !x.is_nan()).prop_map(Value::Float),
        (-2_000_000..2_000_000_i32).prop_map(|n| Value::Float(f64::from(n) / 1000.0)),
        Just(Value::Float(-0.0)),
    ]
}

fn any_time() -> impl Strategy<Value = Timestamp> {
    prop_oneof![any::<i64>(), Just(1_700_000_000_000_000_000)].prop_map(Timestamp::from_nanos)
}

fn any_address() -> impl Strategy<Value = IpAddr> {
    prop_oneof![any::<[u8; 4]>().prop_map(IpAddr::from), any::<[u8; 16]>().prop_map(IpAddr::from)]
}

fn any_counters() -> impl Strategy<Value = Counters> {
    any::<[u64; 3]>().prop_map(|[packets, octets, l2_octets]| Counters { packets, octets, l2_octets })
}

fn any_tcp() -> impl Strategy<Value = TcpMetrics> {
    let time = || option::of((0..u64::MAX).prop_map(Duration::from_nanos));
    (time(), time(), time(), any::<[u8; 2]>(), any::<[u32; 8]>()).prop_map(|(server, client, response, f, n)| {
        TcpMetrics {
            flags: f[0],
            reverse_flags: f[1],
            server_rtt: server,
            client_rtt: client,
            response_time: response,
            retransmitted: n[0],
            reverse_retransmitted: n[1],
            out_of_order: n[2],
            reverse_out_of_order: n[3],
            duplicates: n[4],
            reverse_duplicates: n[5],
            zero_windows: n[6],
            reverse_zero_windows: n[7],
        }
    })
}

fn any_process() -> impl Strategy<Value = Arc<Process>> {
    let text = || any_text().prop_map(|t| Untrusted::new(&t));
    (any::<u32>(), text(), text(), option::of(text()))
        .prop_map(|(pid, name, user, container)| Arc::new(Process { pid, name, user, container }))
}

fn any_flow() -> impl Strategy<Value = Record> {
    let ends = (any_address(), any_address(), any::<[u16; 3]>(), any::<u8>(), vec(0..4096_u16, 0..5));
    let tunnel = (select(vec![TunnelKind::Gre, TunnelKind::Vxlan, TunnelKind::Ipip]), any::<u32>());
    let what = (any_counters(), any_counters(), any::<[u64; 2]>(), option::of(any_tcp()), any_time(), any_time());
    let words = (select(&FlowState::ALL[..]), option::of(select(&EndReason::ALL[..])), option::of(tunnel));
    let source = select(vec![NameSource::Dns, NameSource::Http, NameSource::Quic, NameSource::Tls]);
    let texts = (any_text(), any_text(), option::of((any_text(), source)), option::of(any_process()));
    (any::<[u64; 2]>(), ends, what, words, texts).prop_map(|([id, conversations], ends, what, words, texts)| {
        Record::Flow(Box::new(FlowRecord {
            id: FlowId::from_bits(id),
            interface: Untrusted::new(&texts.0),
            source: ends.0,
            destination: ends.1,
            source_port: ends.2[0],
            destination_port: ends.2[1],
            protocol: Protocol(ends.3),
            icmp_id: ends.2[2],
            vlan: ends.4.into_iter().collect::<VlanStack>(),
            tunnel: words.2.map(|(kind, id)| Tunnel { kind, id }),
            start: what.4,
            end: what.5,
            forward: what.0,
            reverse: what.1,
            interface_octets: what.2,
            state: words.0,
            tcp: what.3,
            end_reason: words.1,
            application: texts.1.into(),
            name: texts.2.map(|(name, source)| (Untrusted::new(&name), source)),
            process: texts.3,
            conversations: if conversations % 2 == 0 { 1 } else { conversations },
        }))
    })
}

fn any_event() -> impl Strategy<Value = Record> {
    let kind = select(vec![EventKind::CaptureStarted, EventKind::FileDamaged]);
    let severity = select(vec![Severity::Info, Severity::Warning, Severity::Critical]);
    (any_time(), kind, severity, any_text(), any_text()).prop_map(|(time, kind, severity, subject, text)| {
        let (subject, text) = (Untrusted::new(&subject), Untrusted::new(&text));
        Record::Event(Event { time, kind, severity, subject, text })
    })
}

fn any_batch() -> impl Strategy<Value = Batch> {
    let series = vec(any_series(), 1..6);
    let record = prop_oneof![
        4 => (any::<prop::sample::Index>(), any_time(), any_value()).prop_map(|(n, t, v)| Ok((n, t, v))),
        2 => any_flow().prop_map(Err),
        1 => any_event().prop_map(Err),
    ];
    (series, vec(record, 0..40), any::<[u64; 3]>()).prop_map(|(series, records, [agent, boot, sequence])| {
        let of = |record| match record {
            Ok((n, time, value)) => {
                let n: prop::sample::Index = n;
                Record::Sample(Sample { series: Arc::clone(n.get(&series)), time, value })
            }
            Err(record) => record,
        };
        let records = records.into_iter().map(of).collect();
        Batch { key: BatchKey { agent: AgentId(agent), boot: BootId(boot), sequence }, records }
    })
}

proptest! {
    #[test]
    fn a_batch_comes_back_as_it_was(batches in vec(any_batch(), 1..4)) {
        let (mut encoder, mut decoder) = (Encoder::default(), Decoder::default());
        for batch in batches {
            let mut bytes = vec![0xee; 3];
            let encoded = encoder.encode(batch.key, &batch.records, &mut bytes).unwrap();
            prop_assert_eq!((encoded.records, encoded.bytes), (batch.records.len(), bytes.len() - 3));
            prop_assert_eq!(key_of(&bytes[3..]), Ok(batch.key));
            let decoded = decoder.decode(&bytes[3..]).unwrap();
            prop_assert_eq!((decoded.skipped, decoded.lost), (0, 0));
            prop_assert_eq!(decoded.batch, batch);
        }
    }

    #[test]
    fn damaged_bytes_never_panic(batch in any_batch(), hits in vec((any::<prop::sample::Index>(), any::<u8>()), 1..4)) {
        let mut bytes = encode(&batch).unwrap();
        for (at, value) in hits {
            let at = at.index(bytes.len());
            bytes[at] = value;
        }
        drop(decode(&bytes));
    }

    #[test]
    fn a_cut_batch_is_never_taken_for_a_whole_one(batch in any_batch(), at in any::<prop::sample::Index>()) {
        let bytes = encode(&batch).unwrap();
        let cut = decode(&bytes[..at.index(bytes.len())]);
        prop_assert!(cut.is_err() || cut.unwrap().batch.records != batch.records || batch.records.is_empty());
    }

    #[test]
    fn any_bytes_never_panic(bytes in vec(any::<u8>(), 0..200)) {
        let mut batch = encode(&Batch { key: KEY, records: Vec::new() }).unwrap();
        batch.extend(&bytes);
        drop(decode(&batch));
        drop(decode(&bytes));
    }
}

fn sample(series: &Arc<Series>, value: Value) -> Record {
    Record::Sample(Sample { series: Arc::clone(series), time: Timestamp::from_secs(1), value })
}

fn gauge() -> Arc<Series> {
    Arc::new(Series { metric: Metric::RingFill, labels: vec![Label::Direction(Direction::In)] })
}

/// Everything before the parts of a batch.
fn header() -> Vec<u8> {
    let mut out = Vec::new();
    put_header(KEY, VERSION, &mut out);
    out
}

/// A part whose body is columns after a count.
fn put_columns(out: &mut Vec<u8>, kind: u64, columns: &[(u64, &[u8])]) {
    let mut body = vec![1];
    for (id, bytes) in columns {
        put(&mut body, *id);
        put_slice(&mut body, bytes);
    }
    put(out, kind);
    put_slice(out, &body);
}

/// The bytes of version 1 do not change: logs that were written stay readable.
#[test]
fn the_form_of_version_1() {
    let batch = Batch { key: KEY, records: vec![sample(&gauge(), Value::Float(0.25))] };
    let mut expected = b"NWB\x01\x07\0\0\0\0\0\0\0\xff\xff\xff\xff\xff\xff\xff\xff\x03\0\0\0\0\0\0\0".to_vec();
    let columns: [(u64, &[u8]); 6] = [
        (1, &[0, 5, 4, 1, 2, 1, 1]),
        (2, &[0, 1]),
        (3, &[0x80, 0xa8, 0xd6, 0xb9, 0x07, 1]),
        (4, &[1]),
        (5, &[0xf5, 0x03]),
        (6, &[]),
    ];
    expected.extend([0, 2, 2, 1]);
    put_columns(&mut expected, 2, &columns);
    assert_eq!(encode(&batch).unwrap(), expected);
    assert_eq!(decode(&expected).unwrap().batch, batch);
}

#[test]
fn not_a_number_keeps_its_bits() {
    let nan = f64::from_bits(0x7ff8_0000_0000_1234);
    let batch = Batch { key: KEY, records: vec![sample(&gauge(), Value::Float(nan))] };
    let decoded = decode(&encode(&batch).unwrap()).unwrap();
    let Record::Sample(Sample { value: Value::Float(x), .. }) = &decoded.batch.records[0] else { panic!() };
    assert_eq!(x.to_bits(), nan.to_bits());
}

#[test]
fn what_a_newer_version_adds_is_skipped_and_counted() {
    let batch = Batch { key: KEY, records: vec![sample(&gauge(), Value::Integer(9))] };
    let plain = encode(&batch).unwrap();
    let mut bytes = header();
    // Three records of an unknown kind, one sample, one event with an unknown kind of event.
    put(&mut bytes, part::ORDER);
    put_slice(&mut bytes, &[9, 3, 2, 1, 4, 1]);
    put(&mut bytes, 9);
    put_slice(&mut bytes, b"whatever");
    bytes.extend_from_slice(&plain[header().len() + 4..]);
    put(&mut bytes, part::EVENTS);
    put_slice(&mut bytes, &[7, 0, 200, 1, 0, 0, 77, 77]);
    let decoded = decode(&bytes).unwrap();
    assert_eq!((decoded.batch, decoded.skipped), (batch, 4));
}

#[test]
fn an_unknown_series_costs_its_own_samples_only() {
    let mut bytes = header();
    put(&mut bytes, part::ORDER);
    put_slice(&mut bytes, &[2, 2]);
    let mut body = vec![2];
    for (id, column) in [
        (1_u64, &[0, 2, 250, 0, 0, 2, 4, 0][..]),
        (2, &[0, 1, 2, 1]),
        (3, &[0, 2]),
        (4, &[0]),
        (5, &[2, 4]),
        (77, b"a new column"),
    ] {
        put(&mut body, id);
        put_slice(&mut body, column);
    }
    put(&mut bytes, part::SAMPLES);
    put_slice(&mut bytes, &body);
    let decoded = decode(&bytes).unwrap();
    let series = Arc::new(Series { metric: Metric::RingFill, labels: Vec::new() });
    let known = Sample { series, time: Timestamp::ZERO, value: Value::Integer(2) };
    assert_eq!((decoded.batch.records, decoded.skipped), (vec![Record::Sample(known)], 1));
}

#[test]
fn a_few_bytes_cannot_claim_many_records() {
    for claimed in [MAX_RECORDS as u64, MAX_RECORDS as u64 + 1, u64::MAX] {
        let mut bytes = header();
        let mut order = vec![2];
        put(&mut order, claimed);
        put(&mut bytes, part::ORDER);
        put_slice(&mut bytes, &order);
        assert!(decode(&bytes).is_err(), "{claimed}");
    }
    let many = vec![sample(&gauge(), Value::Integer(1)); MAX_RECORDS + 1];
    assert_eq!(encode(&Batch { key: KEY, records: many }), Err(EncodeError::TooManyRecords));
}

#[test]
fn other_bytes_are_told_apart() {
    assert_eq!(decode(b""), Err(DecodeError::NotABatch));
    assert_eq!(decode(b"{\"json\": true}"), Err(DecodeError::NotABatch));
    assert_eq!(decode(b"NWB\x03"), Err(DecodeError::Version(3)));
    assert_eq!(decode(b"NWB\x01abc"), Err(DecodeError::Cut));
}

#[test]
fn texts_are_numbered_by_what_they_say_and_anew_for_each_batch() {
    let mut writer = texts::TextWriter::default();
    let [one, other, like_one]: [Arc<str>; 3] = ["one", "other", "one"].map(Arc::from);
    let mut numbers = |order: &[&Arc<str>]| {
        let numbers: Vec<u32> = order.iter().map(|text| writer.number(text)).collect();
        let mut body = Vec::new();
        writer.finish(&mut body);
        (numbers, body)
    };
    let (first, body) = numbers(&[&one, &one, &other, &like_one, &one, &other, &like_one]);
    assert_eq!((first, body.as_slice()), (vec![0, 0, 1, 0, 0, 1, 0], b"\x02\x03one\x05other".as_slice()));
    let (second, body) = numbers(&[&other, &one, &other, &like_one]);
    assert_eq!((second, body.as_slice()), (vec![0, 1, 0, 1], b"\x02\x05other\x03one".as_slice()));
}
