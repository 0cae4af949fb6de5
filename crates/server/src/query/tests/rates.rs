//! Rates: from counters and from flows.

use netwatch_api::traffic::{Layer, RateSeries, Rates};
use netwatch_model::{
    AgentId, Batch, BatchKey, BootId, Direction, Event, EventKind, Label, Metric, Record, Sample, Series, Severity,
    Value,
};
use proptest::prelude::*;

use super::*;

fn sample(
    metric: Metric,
    interface: &str,
    direction: Option<Direction>,
    of: Option<Label>,
    millis: i64,
    value: u64,
) -> Record {
    let mut labels = vec![Label::Interface(interface.into())];
    labels.extend(direction.map(Label::Direction));
    labels.extend(of);
    let time = at(0) + Duration::from_millis(u64::try_from(millis).unwrap());
    Record::Sample(Sample { series: Arc::new(Series { metric, labels }), time, value: Value::Integer(value) })
}

fn batch(sequence: u64, records: Vec<Record>) -> Batch {
    Batch { key: BatchKey { agent: AgentId(1), boot: BootId(1), sequence }, records }
}

fn ask(store: &LiveStore, by: Dimension, from: i64, to: i64, change: impl FnOnce(&mut RatesRequest)) -> Rates {
    let step = Some(Duration::from_secs(1));
    let mut request = RatesRequest { range: range(from, to), step, by, filter: None, limit: 8, interface: None };
    change(&mut request);
    store.rates(&request, at(to)).unwrap()
}

fn octets(series: &RateSeries) -> [Vec<Option<u64>>; 2] {
    [series.inbound.octets.clone(), series.outbound.octets.clone()]
}

#[test]
fn nothing_reported_is_not_nothing_carried() {
    let store = LiveStore::new(StoreConfig::default());
    let total = |millis, value| sample(Metric::TrafficOctets, "eth0", Some(Direction::In), None, millis, value);
    let udp = || Some(Label::Protocol("udp".into()));
    let records = vec![
        total(500, 100),
        total(1500, 100),
        total(3500, 160),
        sample(Metric::TrafficOctets, "eth0", Some(Direction::In), udp(), 3500, 60),
        sample(Metric::KernelDrops, "eth0", None, None, 3600, 9),
    ];
    store.apply(&batch(1, records), at(4));
    let rates = ask(&store, Dimension::Interface, 0, 5, |_| {});
    assert_eq!(octets(&rates.series[0])[0], [Some(100), Some(0), None, Some(60), None]);
    assert_eq!((rates.series[0].key.as_str(), rates.layer, rates.incomplete), ("eth0", Layer::L2, true));
    assert_eq!(rates.losses.kernel_drops, [0, 0, 0, 9, 0]);
    let by_protocol = ask(&store, Dimension::Protocol, 0, 5, |_| {});
    assert_eq!(octets(&by_protocol.series[0])[0], [Some(0), Some(0), None, Some(60), None]);
    let two = ask(&store, Dimension::Direction, 0, 4, |q| q.step = Some(Duration::from_secs(2)));
    let inward = two.series.iter().find(|s| s.key == "in").unwrap();
    assert_eq!(octets(inward), [vec![Some(100), Some(60)], vec![Some(0), Some(0)]]);
    let unknown = ask(&store, Dimension::Interface, 0, 5, |q| q.interface = Some("eth9".to_owned()));
    assert_eq!(unknown.series.len(), 1);
    assert_eq!((unknown.series[0].other, &octets(&unknown.series[0])[0]), (true, &vec![None; 5]));
    assert_eq!(rates.oldest, Some(at(0)));
}

#[test]
fn before_anything_was_captured_there_is_a_line_without_data() {
    let store = LiveStore::new(StoreConfig::default());
    for by in [Dimension::Interface, Dimension::Direction, Dimension::Protocol, Dimension::Host, Dimension::Process] {
        let rates = ask(&store, by, 0, 3, |_| {});
        let keys: Vec<&str> = rates.series.iter().map(|s| s.key.as_str()).collect();
        assert_eq!(keys, if by == Dimension::Direction { vec!["in", "out"] } else { vec![""] }, "{by:?}");
        assert!(rates.series.iter().all(|s| octets(s) == [vec![None; 3], vec![None; 3]]), "{by:?}");
        assert_eq!(rates.oldest, None);
    }
}

#[test]
fn the_oldest_time_is_the_first_second_that_was_reported() {
    let store = LiveStore::new(StoreConfig::default());
    let records = vec![sample(Metric::TrafficOctets, "eth0", Some(Direction::In), None, 17_500, 1)];
    store.apply(&batch(1, records), at(19));
    let oldest = ask(&store, Dimension::Protocol, 0, 20, |_| {}).oldest;
    assert!(oldest.is_some_and(|oldest| (at(16)..=at(17)).contains(&oldest)), "{oldest:?}");
}

#[test]
fn series_beyond_the_limit_are_other() {
    let store = LiveStore::new(StoreConfig::default());
    let app = |n: u64| Some(Label::Application(format!("app{n}").into()));
    let records = (1..=20).map(|n| sample(Metric::TrafficOctets, "eth0", Some(Direction::Out), app(n), 500, n * 10));
    store.apply(&batch(1, records.collect()), at(1));
    let rates = ask(&store, Dimension::Application, 0, 1, |q| q.limit = 3);
    let told: Vec<(&str, Option<u64>)> =
        rates.series.iter().map(|s| (s.label.as_str(), s.outbound.octets[0])).collect();
    assert_eq!(told, [("app20", Some(200)), ("app19", Some(190)), ("app18", Some(180)), ("other", Some(1530))]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn rates_of_flows_add_up(flows in prop::collection::vec((0_u32..400, 0_i64..50, 1_u64..100_000), 1..100), limit in 1_usize..9) {
        let store = LiveStore::new(StoreConfig::default());
        let mut truth = 0;
        for (sequence, (n, second, octets)) in (1_u64..).zip(&flows) {
            let r = flow(n + u32::try_from(sequence).unwrap() * 1000, *second, *second, *octets);
            truth += r.total().octets;
            store.apply(&batch_of(sequence, [r]), at(55));
        }
        let sum = |rates: &Rates| -> u64 {
            rates.series.iter().flat_map(|s| octets(s).concat()).map(Option::unwrap_or_default).sum()
        };
        for by in [Dimension::Pair, Dimension::Port, Dimension::Name, Dimension::Vlan] {
            prop_assert_eq!(sum(&ask(&store, by, 0, 55, |q| q.limit = limit)), truth);
            prop_assert_eq!(sum(&ask(&store, by, 0, 55, |q| (q.limit, q.filter) = (limit, filter("tcp")))), truth);
            prop_assert_eq!(sum(&ask(&store, by, 0, 55, |q| q.interface = Some("eth0".to_owned()))), truth);
        }
        prop_assert_eq!(sum(&ask(&store, Dimension::Host, 0, 55, |q| q.limit = limit)), 2 * truth, "each end counts");
        prop_assert_eq!(sum(&ask(&store, Dimension::Direction, 0, 55, |q| q.filter = filter("tcp"))), truth);
    }
}

#[test]
fn rates_of_flows_are_where_the_octets_were() {
    let store = LiveStore::new(StoreConfig::default());
    for (sequence, second, total) in [(1, 10, 100), (2, 12, 400), (3, 13, 401)] {
        store.apply(&batch_of(sequence, [flow(1, 10, second, total)]), at(second));
    }
    for filter in [None, filter("port 443")] {
        let rates = ask(&store, Dimension::Port, 10, 14, |q| q.filter = filter);
        assert_eq!(rates.series.len(), 1);
        let [_, out] = octets(&rates.series[0]);
        let out: Vec<u64> = out.into_iter().map(Option::unwrap_or_default).collect();
        assert_eq!(out, [100, 0, 300, 1]);
    }
}

#[test]
fn too_many_steps_are_refused() {
    let store = LiveStore::new(StoreConfig::default());
    let step = Some(Duration::from_secs(1));
    let request =
        RatesRequest { range: range(0, 9000), step, by: Dimension::Interface, filter: None, limit: 1, interface: None };
    store.apply(&batch_of(1, [flow(1, 0, 0, 1)]), at(0));
    assert!(matches!(store.rates(&request, at(9000)), Err(QueryError::TooCostly { .. })));
}

#[test]
fn interfaces_and_statistics_tell_what_was_counted() {
    let store = LiveStore::new(StoreConfig::default());
    let event = |kind, text: &str| {
        Record::Event(Event { time: at(0), kind, severity: Severity::Info, subject: "eth0".into(), text: text.into() })
    };
    let records = vec![
        event(EventKind::CaptureStarted, "eth0 is captured"),
        sample(Metric::TrafficOctets, "eth0", Some(Direction::In), None, 9500, 1000),
        sample(Metric::TrafficPackets, "eth0", Some(Direction::In), None, 9500, 10),
        sample(Metric::FramesReceived, "eth0", None, None, 9500, 12),
        sample(Metric::TrafficOctets, "lo", Some(Direction::Out), None, 9500, 5),
        event(EventKind::CaptureInterrupted, "eth0 is down"),
    ];
    store.apply(&batch(1, records), at(10));
    let items = store.interfaces(at(10)).items;
    let names: Vec<&str> = items.iter().map(|i| i.name.as_str()).collect();
    assert_eq!(names, ["eth0", "lo"]);
    assert_eq!((items[0].octets_in, items[0].rate_in, items[0].frames), (1000, 1000, 12));
    assert_eq!(items[0].detail.as_deref(), Some("eth0 is down"));
    let statistics = store.statistics(at(10));
    assert_eq!((statistics.capture.octets, statistics.capture.packets), (1005, 10));
    let page = store.events(1, None);
    assert_eq!((page.items[0].id, page.next_cursor.as_deref()), (2, Some("2")));
    assert_eq!(store.events(5, Some(2)).items.len(), 1);
    assert_eq!(store.events_after(1).len(), 1);
}
