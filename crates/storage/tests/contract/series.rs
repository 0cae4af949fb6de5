//! Series over time.

use std::time::Duration;

use netwatch_model::filter::Glob;
use netwatch_model::{Record, Value};
use netwatch_storage::{
    Aggregate, Budget, Chart, LabelMatch, Resolution, SeriesQuery, SeriesSearch, TelemetryStore, Wanted,
};

use crate::support::{Bench, HOUR, at, minutes, sample, series, span, workspace};

fn query(from: i64, to: i64, step: Duration, aggregate: Aggregate) -> SeriesQuery {
    let search = SeriesSearch { metric: Some("traffic_octets".into()), limit: 10, ..SeriesSearch::default() };
    SeriesQuery { search, span: span(from, to), step, aggregate }
}

fn chart(bench: &Bench, query: &SeriesQuery) -> Chart {
    bench.store.chart(workspace(1), query, &Budget::default()).expect("a chart")
}

/// Three hours of a counter that grows by ten a second and begins anew after the first hour, with a gauge beside it.
fn three_hours() -> Bench {
    let mut bench = Bench::new();
    let (counter, gauge) = (series("eth0"), series("eth1"));
    let at = |second: i64| second.unsigned_abs();
    for part in 0..6 {
        let seconds = (part * 1800..(part + 1) * 1800).step_by(10);
        let records: Vec<Record> = seconds
            .flat_map(|second| {
                let grown = if second < HOUR { at(second) } else { at(second - HOUR) };
                #[expect(clippy::cast_precision_loss, reason = "small")]
                let level = (second % 600) as f64 / 10.0 + 0.125;
                [sample(&counter, second, Value::Integer(grown * 10)), sample(&gauge, second, Value::Float(level))]
            })
            .collect();
        bench.put(records);
        bench.flush();
    }
    bench.now = crate::support::at(3 * HOUR + 600);
    bench
}

#[test]
fn every_resolution_gives_the_same_numbers() {
    let bench = three_hours();
    let aggregates = [
        Aggregate::Min,
        Aggregate::Max,
        Aggregate::Avg,
        Aggregate::Sum,
        Aggregate::Count,
        Aggregate::Last,
        Aggregate::P95,
    ];
    let raw = |aggregate| {
        // 61 minutes are no whole hours, but the first step is the first hour's minutes all the same.
        let minutes: Vec<_> =
            chart(&bench, &query(0, 3 * HOUR, Duration::from_secs(50), aggregate)).resolution.as_str().into();
        minutes
    };
    assert_eq!(raw(Aggregate::Min), b"raw");
    let before: Vec<Chart> = aggregates.iter().map(|a| chart(&bench, &query(0, 3 * HOUR, minutes(60), *a))).collect();
    assert!(bench.store.upkeep(bench.now).unwrap().rolled_hours >= 3);
    for (aggregate, before) in aggregates.iter().zip(before) {
        let after = chart(&bench, &query(0, 3 * HOUR, minutes(60), *aggregate));
        assert_eq!(after, before, "{aggregate:?}");
        assert_eq!(after.resolution, Resolution::Hour);
    }
    let counts = chart(&bench, &query(0, 3 * HOUR, minutes(60), Aggregate::Count));
    assert_eq!(counts.lines[0].points, [Some(360.0); 3]);
    let least = chart(&bench, &query(0, 3 * HOUR, minutes(60), Aggregate::Min));
    assert_eq!(least.lines[1].points, [Some(0.125); 3]);
}

#[test]
fn rates_are_right_across_buckets_and_resets() {
    let bench = three_hours();
    for (step, resolution) in
        [(Duration::from_secs(30), Resolution::Raw), (minutes(5), Resolution::Minute), (minutes(60), Resolution::Hour)]
    {
        let is = chart(&bench, &query(600, 3 * HOUR, step, Aggregate::Rate));
        assert_eq!(is.resolution, resolution);
        for point in &is.lines[0].points {
            let rate = point.expect("no gap");
            // The step of the reset lacks the growth of the seconds that nobody saw.
            assert!((rate - 10.0).abs() < 4.0, "{rate} at {step:?}");
        }
    }
}

#[test]
fn percentiles_are_within_one_per_cent() {
    let bench = three_hours();
    let is = chart(&bench, &query(0, 3 * HOUR, minutes(60), Aggregate::P50));
    let median = is.lines[1].points[0].unwrap();
    assert!((median - 29.125).abs() <= 0.3 + 1.0, "{median}");
}

#[test]
fn a_gap_is_a_gap_and_ends_are_flagged() {
    let mut bench = Bench::new();
    let eth0 = series("eth0");
    bench.put([sample(&eth0, 30, Value::Integer(1)), sample(&eth0, 150, Value::Integer(2))]);
    bench.flush();
    let is = chart(&bench, &query(10, 170, minutes(1), Aggregate::Last));
    assert_eq!(is.lines[0].points, [Some(1.0), None, Some(2.0)]);
    assert_eq!((is.from, is.partial_first, is.partial_last), (at(0), true, true));
}

#[test]
fn series_are_found_and_completed() {
    let mut bench = Bench::new();
    bench.put(["eth0", "eth1", "wlan0"].map(|name| sample(&series(name), 1, Value::Integer(1))));
    let label =
        |value: &str, negated| LabelMatch { name: "interface".into(), value: Glob::new(value).unwrap(), negated };
    let find = |labels, limit| {
        let search = SeriesSearch { labels, limit, ..SeriesSearch::default() };
        bench.store.search(workspace(1), &search).unwrap()
    };
    assert_eq!(find(vec![label("ETH*", false)], 10).series.len(), 2);
    assert_eq!(find(vec![label("eth*", true)], 10).series.len(), 1);
    let page = find(vec![], 2);
    assert_eq!((page.series.len(), page.next), (2, Some(1)));
    let complete = |wanted| bench.store.complete(workspace(1), &wanted, 10).unwrap().values;
    assert_eq!(complete(Wanted::Metric { prefix: "traf".into() }), ["traffic_octets"]);
    assert_eq!(complete(Wanted::LabelName { metric: None, prefix: String::new() }), ["interface"]);
    let values = Wanted::LabelValue { metric: None, name: "interface".into(), prefix: "e".into() };
    assert_eq!(complete(values), ["eth0", "eth1"]);
}

#[test]
fn a_closed_day_is_rewritten_and_answers_the_same() {
    let mut bench = three_hours();
    let ask = |bench: &Bench| {
        [Aggregate::Avg, Aggregate::P99, Aggregate::Rate].map(|a| {
            [Duration::from_secs(10), minutes(5), minutes(60)]
                .map(|step| chart(bench, &query(0, 3 * HOUR, step, a)).lines)
        })
    };
    bench.store.upkeep(bench.now).unwrap();
    let before = ask(&bench);
    bench.now = at(31 * HOUR);
    assert!(bench.store.upkeep(bench.now).unwrap().compacted >= 2, "samples and their minutes");
    assert_eq!(ask(&bench), before);
    let bench = bench.crash();
    assert_eq!(ask(&bench), before);
    assert_eq!(bench.events, []);
}
