//! The flow explorer.

use std::sync::Arc;
use std::time::Duration;

use netwatch_model::filter::Filter;
use netwatch_model::{Counters, FlowRecord, Metric, Protocol, Series};
use netwatch_storage::{Dimension, Explore, LookupPaths, Measure, Resolution, TelemetryStore, Value};

use crate::support::{Bench, HOUR, at, ended, flow, minutes, open, question, sample};

fn by(dimensions: &[Dimension], from: i64, to: i64) -> Explore {
    Explore { dimensions: dimensions.to_vec(), ..question(from, to) }
}

fn filtered(filter: &str, query: Explore) -> Explore {
    Explore { filter: Some(Arc::new(Filter::parse(filter).unwrap())), ..query }
}

fn address(n: u8) -> Value {
    Value::Address(format!("192.0.2.{n}").parse().unwrap())
}

fn server() -> Value {
    Value::Address("198.51.100.1".parse().unwrap())
}

/// Three hours of flows: host n sends n × 1000 octets in each.
fn three_hours() -> Bench {
    let mut bench = Bench::new();
    for hour in 0..3 {
        bench.put((1..=5).map(|n| ended(flow(n, hour * HOUR + 60, hour * HOUR + 90, 1000 * u64::from(n)))));
        bench.flush();
    }
    bench.now = at(3 * HOUR + 600);
    bench
}

#[test]
fn groups_other_and_total_add_up() {
    let bench = three_hours();
    for query in [by(&[Dimension::Source], 0, 3 * HOUR), filtered("tcp", by(&[Dimension::Source], 0, 3 * HOUR))] {
        let is = bench.explore(&Explore { limit: 2, ..query });
        assert_eq!(
            is.groups.iter().map(|g| (&g.key[0], g.total)).collect::<Vec<_>>(),
            [(&address(5), 22_500), (&address(4), 18_000)]
        );
        assert_eq!((is.other.total, is.total.total), (27_000, 67_500));
    }
}

#[test]
fn sums_ahead_and_slices_agree_before_and_after_the_hour_is_rolled_up() {
    let bench = three_hours();
    let all = [
        Dimension::Host,
        Dimension::Destination,
        Dimension::Port,
        Dimension::Application,
        Dimension::Interface,
        Dimension::Agent,
    ];
    let check = |expected: Resolution| {
        for dimension in all {
            for measure in [Measure::Octets, Measure::L2Octets, Measure::Packets, Measure::Flows] {
                let ahead = bench.explore(&Explore { measure, ..by(&[dimension], 0, 3 * HOUR) });
                let slices =
                    bench.explore(&Explore { measure, ..filtered("bytes >= 0", by(&[dimension], 0, 3 * HOUR)) });
                assert_eq!((ahead.resolution, slices.resolution), (expected, Resolution::Raw));
                assert_eq!(
                    (ahead.groups, ahead.other, ahead.total),
                    (slices.groups, slices.other, slices.total),
                    "{dimension:?}"
                );
            }
        }
    };
    check(Resolution::Minute);
    let upkeep = bench.store.upkeep(bench.now).unwrap();
    assert!(upkeep.rolled_hours >= 3);
    check(Resolution::Hour);
}

#[test]
fn late_data_is_in_the_hour_that_was_rolled_up() {
    let mut bench = three_hours();
    bench.store.upkeep(bench.now).unwrap();
    bench.put([ended(flow(9, 100, 130, 10_000))]);
    bench.flush();
    let hosts = by(&[Dimension::Host], 0, 3 * HOUR);
    assert_eq!(bench.explore(&hosts).total.total, 67_500 + 15_000);
    assert_eq!(bench.store.upkeep(bench.now).unwrap().rolled_hours, 1, "that hour alone");
    let is = bench.explore(&hosts);
    assert_eq!((is.resolution, is.total.total), (Resolution::Hour, 67_500 + 15_000));
}

#[test]
fn each_octet_counts_for_both_hosts_and_once_in_total() {
    let bench = three_hours();
    let is = bench.explore(&by(&[Dimension::Host], 0, 3 * HOUR));
    let first = &is.groups[0];
    assert_eq!((&first.key[0], first.total, first.octets_in, first.octets_out), (&server(), 67_500, 45_000, 22_500));
    assert_eq!(is.total.total, 67_500);
    assert_eq!(is.groups.iter().map(|g| g.total).sum::<u64>() + is.other.total, 2 * 67_500);
}

#[test]
fn steps_summaries_and_the_period_before() {
    let bench = three_hours();
    let query = Explore { step: Some(minutes(60)), previous: true, ..by(&[Dimension::Source], 2 * HOUR, 3 * HOUR) };
    let is = bench.explore(&query);
    assert_eq!((is.groups[0].points.as_slice(), is.groups[0].previous), (&[7500][..], Some(7500)));
    assert_eq!((is.previous.as_slice(), is.total.previous, is.other.previous), (&[22_500][..], Some(22_500), Some(0)));
    let fine = bench.explore(&Explore { step: Some(minutes(1)), previous: false, ..query });
    let points = &fine.groups[0].points;
    assert_eq!((points.len(), points[1], points.iter().sum::<u64>()), (60, 7500, 7500));
    // Nothing else was observed in that hour: only minutes with flows are known.
    let summary = fine.groups[0].summary.unwrap();
    assert_eq!((summary.min, summary.avg, summary.p95, summary.max), (125.0, 125.0, 125.0, 125.0));
    assert_eq!((fine.observed[0], fine.observed[1]), (0, 60_000));
}

#[test]
fn rates_are_over_the_time_that_was_observed() {
    let mut bench = Bench::new();
    let ring = Arc::new(Series { metric: Metric::RingFill, labels: vec![] });
    // Capture ran for the last 30 seconds of the fourth minute and until a quarter into the tenth one, then again in the twentieth.
    let runs = (210..=555).chain(1140..1200);
    bench.put(runs.map(|second| sample(&ring, second, netwatch_model::Value::Float(0.0))));
    bench.put([ended(flow(1, 245, 260, 4000)), ended(flow(2, 545, 550, 2000))]);
    bench.flush();
    let query = Explore { step: Some(minutes(1)), ..by(&[Dimension::Source], 0, 1800) };
    let is = bench.explore(&query);
    let seconds: Vec<u64> = is.observed.iter().map(|millis| millis / 1000).collect();
    assert_eq!(seconds[..11], [0, 0, 0, 30, 60, 60, 60, 60, 60, 15, 0]);
    assert_eq!((seconds[18], seconds[19], seconds[20]), (0, 59, 0));
    let all: u64 = seconds.iter().sum();
    assert_eq!(all, 30 + 5 * 60 + 15 + 59);
    let summary = is.groups[0].summary.unwrap();
    assert_eq!((summary.min, summary.max), (0.0, 100.0), "quiet minutes are zero, others are none");
    let seconds = Duration::from_secs(all).as_secs_f64();
    assert!((summary.avg - 6000.0 / seconds).abs() < 1e-9, "{summary:?}");
    // A filter changes nothing of what was observed; a range in which nothing was has no rates.
    let other = filtered("src = 192.0.2.2", query.clone());
    let only = bench.explore(&other);
    assert_eq!(only.observed, is.observed);
    assert_eq!(only.total.summary.unwrap().max, 3000.0 / 15.0);
    let none = bench.explore(&Explore { span: crate::support::span(1260, 1800), ..query.clone() });
    assert_eq!((none.total.summary, none.observed.iter().sum::<u64>()), (None, 0));
    // Of the minute that goes on not everything is stored: it is in the sums, and in no rate.
    for (until, observed, rate) in [(600, 15, 3000.0 / 15.0), (540, 0, 100.0), (270, 0, 6000.0 / 30.0)] {
        let going = bench.explore(&Explore { complete_until: at(until), ..query.clone() });
        assert_eq!((going.observed[9] / 1000, going.total.summary.unwrap().max), (observed, rate), "{until}");
        assert_eq!((&going.total.points, going.total.total), (&is.total.points, is.total.total));
    }
}

#[test]
fn partial_steps_are_flagged() {
    let bench = three_hours();
    let is = bench.explore(&Explore { step: Some(minutes(60)), ..by(&[], 600, 2 * HOUR + 1) });
    assert_eq!((is.from, is.to, is.partial_first, is.partial_last), (at(0), at(3 * HOUR), true, true));
    let whole = bench.explore(&Explore { step: Some(minutes(60)), ..by(&[], 0, 2 * HOUR) });
    assert_eq!((whole.partial_first, whole.partial_last, whole.total.points.len()), (false, false, 2));
}

#[test]
fn five_dimensions_and_their_edges() {
    let bench = three_hours();
    let five =
        [Dimension::Source, Dimension::Port, Dimension::Application, Dimension::Destination, Dimension::Interface];
    let is = bench.explore(&by(&five, 0, 3 * HOUR));
    assert_eq!(is.groups[0].key[1], Value::Port(Protocol::TCP, 443));
    assert_eq!(is.groups.len(), 5);
    let level = |n| is.edges.iter().filter(move |e| e.level == n).map(|e| e.total).sum::<u64>();
    assert_eq!([0, 1, 2, 3].map(level), [67_500; 4]);
    let six = [&five[..], &[Dimension::Vlan]].concat();
    let refused =
        bench.store.explore(crate::support::workspace(1), &by(&six, 0, HOUR), &netwatch_storage::Budget::default());
    assert!(refused.unwrap_err().to_string().contains("too expensive"));
}

#[test]
fn a_long_conversation_is_spread_over_its_minutes() {
    let mut bench = Bench::new();
    for minute in 1..=4 {
        bench.put([open(flow(1, 0, minute * 60 - 1, 1000 * minute.unsigned_abs()))]);
        bench.flush();
    }
    let is = bench.explore(&Explore { step: Some(minutes(1)), ..by(&[Dimension::Source], 0, 240) });
    assert_eq!(is.groups[0].points, [1500; 4]);
    let flows = bench.explore(&Explore { measure: Measure::Flows, ..by(&[], 0, 240) });
    assert_eq!(flows.total.total, 1, "one conversation, in four slices");
}

#[test]
fn ranges_name_addresses() {
    let folder = tempfile::tempdir().unwrap();
    let ranges = folder.path().join("ranges.csv");
    std::fs::write(&ranges, "192.0.2.0/30,Office\n192.0.2.0/24,Campus\n").unwrap();
    let mut bench = Bench::with(|c| c, LookupPaths { ranges: Some(ranges), ..LookupPaths::default() });
    bench.put((1..=5).map(|n| ended(flow(n, 60, 90, 1000))));
    bench.flush();
    let is = bench.explore(&by(&[Dimension::SourceNetwork, Dimension::DestinationNetwork], 0, HOUR));
    let text = |t: &str| Value::Text(netwatch_model::Untrusted::new(t));
    let groups: Vec<_> = is.groups.iter().map(|g| (g.key.clone(), g.total)).collect();
    assert_eq!(groups, [(vec![text("Office"), Value::Absent], 4500), (vec![text("Campus"), Value::Absent], 3000)]);
}

#[test]
fn nothing_is_nothing() {
    let bench = three_hours();
    for query in [by(&[Dimension::Host], 10 * HOUR, 11 * HOUR), filtered("udp", by(&[Dimension::Host], 0, 3 * HOUR))] {
        let is = bench.explore(&query);
        assert_eq!((is.groups.len(), is.total.total, is.other.total), (0, 0, 0));
    }
    let far = bench.explore(&filtered("tcp", by(&[Dimension::Name], -100 * HOUR, -99 * HOUR)));
    assert_eq!(far.total.total, 0);
}

#[test]
fn counters_that_no_network_has_break_no_question() {
    let mut bench = Bench::new();
    let most = Counters { packets: u64::MAX, octets: u64::MAX, l2_octets: u64::MAX };
    // Layer 2 says less than layer 3, which no frame can.
    let torn = Counters { l2_octets: 0, ..most };
    for (n, (forward, reverse)) in (1..).zip([(most, most), (torn, most), (most, torn), (torn, torn)]) {
        let read = FlowRecord { forward, reverse, interface_octets: [u64::MAX; 2], ..flow(n, 10, 20, 0) };
        bench.put([ended(FlowRecord { conversations: u64::MAX, ..read }), ended(flow(n + 10, 10, 20, 1000))]);
    }
    let ask = |bench: &Bench, dimensions: Vec<Dimension>| {
        for measure in [Measure::Octets, Measure::L2Octets, Measure::Packets, Measure::Flows] {
            for filter in [None, Some("bytes >= 0")] {
                let filter = filter.map(|text| Arc::new(Filter::parse(text).unwrap()));
                for step in [None, Some(minutes(1))] {
                    let dimensions = dimensions.clone();
                    let query = Explore {
                        measure,
                        filter: filter.clone(),
                        step,
                        dimensions,
                        previous: true,
                        ..question(0, HOUR)
                    };
                    let answer = bench.explore(&query);
                    assert!(answer.total.total >= 4, "{measure:?}");
                }
            }
        }
    };
    bench.flush();
    for _ in 0..2 {
        ask(&bench, vec![]);
        ask(&bench, vec![Dimension::Host]);
        ask(&bench, vec![Dimension::Port, Dimension::Interface]);
        // Then of hours.
        bench.store.upkeep(at(3 * HOUR)).unwrap();
    }
}
