//! Rollups as they are kept.

use std::collections::BTreeSet;
use std::sync::Arc;

use netwatch_model::{Label, Metric, Record, Sample, Series, Untrusted, Value};
use netwatch_storage::{BucketQuery, Buckets, Budget, Resolution, StoreError, TelemetryStore};

use crate::support::{Bench, HOUR, at, span, workspace};

fn series(metric: &str, probe: &str) -> Arc<Series> {
    let labels = vec![Label::Name(Arc::from(metric)), Label::Other(Arc::from("probe"), Untrusted::new(probe))];
    Arc::new(Series { metric: Metric::External, labels })
}

fn query(values: &[&str], finest: Resolution) -> BucketQuery {
    BucketQuery {
        metrics: vec!["probe_success".to_owned(), "probe_unknown".to_owned()],
        label: "probe".to_owned(),
        values: values.iter().map(|value| (*value).to_owned()).collect::<BTreeSet<_>>(),
        span: span(0, 3 * HOUR),
        finest,
        limit: 10,
    }
}

fn ask(bench: &Bench, query: &BucketQuery) -> Buckets {
    bench.store.buckets(workspace(1), query, &Budget::default()).expect("buckets")
}

/// Three hours of runs every half minute, down in the second hour, and one that says nothing.
fn runs() -> Bench {
    let mut bench = Bench::new();
    let (own, other) = (series("probe_success", "a"), series("probe_success", "b"));
    let sample = |series: &Arc<Series>, second: i64, value: f64| {
        Record::Sample(Sample { series: Arc::clone(series), time: at(second), value: Value::Float(value) })
    };
    let up = |second: i64| if (HOUR..2 * HOUR).contains(&second) { 0.0 } else { 1.0 };
    let seconds = || (0..3 * HOUR).step_by(30);
    bench.put(seconds().map(|second| sample(&own, second, up(second))));
    bench.put(seconds().map(|second| sample(&other, second, 1.0)));
    bench.put([sample(&series("probe_unknown", "a"), 7, 1.0), sample(&series("probe_loss_ratio", "a"), 7, 1.0)]);
    bench.flush();
    bench.now = at(3 * HOUR + 600);
    bench
}

#[test]
fn minutes_keep_the_times_of_their_samples() {
    let bench = runs();
    let found = ask(&bench, &query(&["a"], Resolution::Raw));
    assert_eq!(found.lines.len(), 2, "the metrics that were asked for, of that probe");
    let buckets = &found.lines[0].buckets;
    assert_eq!((buckets.len(), buckets[0].count), (180, 2));
    assert_eq!((buckets[60].first, buckets[60].last, buckets[60].sum), (at(HOUR), at(HOUR + 30), 0.0));
    assert!(found.minutes_from.is_some_and(|from| from <= at(0)) && !found.more);
    let few = ask(&bench, &BucketQuery { limit: 1, ..query(&["a", "b"], Resolution::Minute) });
    assert_eq!((few.lines.len(), few.more), (1, true));
    assert!(ask(&bench, &query(&["c"], Resolution::Minute)).lines.is_empty());
}

#[test]
fn hours_amount_to_the_same_before_and_after_they_are_rolled_up() {
    let bench = runs();
    let sums =
        |found: &Buckets| found.lines[0].buckets.iter().map(|b| (b.first, b.last, b.count, b.sum)).collect::<Vec<_>>();
    let before = sums(&ask(&bench, &query(&["a"], Resolution::Hour)));
    assert!(bench.store.upkeep(bench.now).unwrap().rolled_hours >= 3);
    let after = ask(&bench, &query(&["a"], Resolution::Hour));
    let expected =
        [(0, 120.0), (1, 0.0), (2, 120.0)].map(|(hour, sum)| (at(hour * HOUR), at(hour * HOUR + 3570), 120, sum));
    assert_eq!((before, sums(&after)), (expected.to_vec(), expected.to_vec()));
    assert_eq!(after.minutes_from, None);
}

#[test]
fn what_is_too_much_is_refused() {
    let bench = runs();
    let budget = Budget { max_rows: 100, ..Budget::default() };
    let refused = bench.store.buckets(workspace(1), &query(&["a"], Resolution::Minute), &budget);
    assert!(matches!(refused, Err(StoreError::TooExpensive(_))), "{refused:?}");
}
