//! Effectively once, whatever happens in between.

use std::time::Duration;

use netwatch_model::{EventKind, Severity, Value};
use netwatch_storage::{Budget, Cancel, Keep, Kind, LookupPaths, Retention, StoreConfig, TelemetryStore, Watermarks};

use crate::support::{Bench, HOUR, at, ended, event, flow, open, question, sample, series, workspace};

/// What a log would hand over: batch n at position n.
fn batch(n: u64) -> Vec<netwatch_model::Record> {
    let second = i64::try_from(n).unwrap_or(0) * 20;
    let long = flow(200, 0, second, 100 * n);
    vec![
        ended(flow(u8::try_from(n % 100).unwrap_or(1), second, second + 5, 1000)),
        open(long),
        sample(&series("eth0"), second, Value::Integer(n)),
        event(second, EventKind::InterfaceUp, Severity::Info, "up"),
    ]
}

fn counts(bench: &Bench) -> (u64, u64, u64) {
    let flows = netwatch_storage::Explore { measure: netwatch_storage::Measure::Flows, ..question(0, HOUR) };
    let query = netwatch_storage::EventQuery {
        span: crate::support::span(0, HOUR),
        kinds: Vec::new(),
        severity: None,
        subject: None,
        text: None,
        limit: 1000,
        after: None,
    };
    let events = bench.store.events(workspace(1), &query, &Budget::default()).unwrap();
    (bench.octets(0, HOUR), bench.explore(&flows).total.total, events.events.len() as u64)
}

#[test]
fn batches_that_come_again_change_nothing() {
    let mut bench = Bench::new();
    for n in 1..=50 {
        bench.put_at(n, batch(n));
    }
    bench.flush();
    let before = counts(&bench);
    assert_eq!(before, (50 * 1500 + 50 * 150, 51, 50));
    let mut bench = bench.crash();
    assert_eq!(bench.store.replay_after(), 50);
    let again: u64 = (1..=50).map(|n| bench.put_at(n, batch(n)).repeated).sum();
    assert_eq!(again, 200);
    bench.flush();
    assert_eq!(counts(&bench), before);
}

/// The version of the tables in each file.
fn versions(files: &[std::path::PathBuf]) -> Vec<u32> {
    let version = |file| {
        let database = duckdb::Connection::open(file).expect("a database");
        database.query_row("SELECT version FROM format", [], |row| row.get(0)).expect("a version")
    };
    files.iter().map(version).collect()
}

#[test]
fn files_of_the_version_before_are_read_and_become_files_of_this_one() {
    let mut bench = Bench::new();
    for n in 1..=50 {
        bench.put_at(n, batch(n));
    }
    bench.flush();
    let before = counts(&bench);
    let mut bench = bench.closed(|files| {
        assert!(files.len() >= 4, "{files:?}");
        for file in files {
            let database = duckdb::Connection::open(file).expect("a database");
            database.execute_batch("UPDATE format SET version = 2").expect("written");
        }
    });
    assert!(bench.events.is_empty(), "nothing was set aside: {:?}", bench.events);
    assert_eq!(counts(&bench), before);
    bench.put_at(51, batch(51));
    bench.flush();
    assert_eq!(counts(&bench), (before.0 + 1650, before.1 + 1, before.2 + 1));
    bench.closed(|files| assert!(versions(files).iter().all(|version| *version > 2), "{:?}", versions(files)));
}

#[test]
fn a_crash_at_any_moment_loses_and_doubles_nothing() {
    for crash_after in [3_u64, 7, 11, 20, 33] {
        let mut bench = Bench::new();
        for n in 1..=crash_after {
            bench.put_at(n, batch(n));
            if n % 4 == 0 {
                bench.flush();
            }
        }
        let mut bench = bench.crash();
        let from = bench.store.replay_after();
        assert_eq!(from, crash_after / 4 * 4);
        // The log may also begin much earlier.
        for n in 1..=50 {
            bench.put_at(n, batch(n));
            if n % 7 == 0 {
                bench.flush();
            }
        }
        bench.flush();
        assert_eq!(counts(&bench), (50 * 1500 + 50 * 150, 51, 50), "after {crash_after}");
    }
}

#[test]
fn what_would_pass_a_row_group_is_written_before_it() {
    let few = |c| StoreConfig { max_waiting_flows: 8, ..c };
    let mut bench = Bench::with(few, LookupPaths::default());
    let mut next = 0;
    let written = [3, 3, 3, 5, 1, 20, 1].map(|flows| {
        next += flows;
        bench.put((next - flows..next).map(|n| ended(flow(1, n, n + 5, 1000))));
        bench.store.replay_after()
    });
    assert_eq!(written, [0, 0, 2, 4, 4, 6, 6], "six; eight, which is full; one before many; many");
}

/// As many flows as are written on a thread of their own.
fn many(part: i64) -> impl Iterator<Item = netwatch_model::Record> {
    (0..12_000).map(move |n| {
        let start = part * 100 + n / 200;
        ended(flow(u8::try_from(n % 200).unwrap(), start, start + 5, 1000))
    })
}

#[test]
fn what_could_not_be_written_beside_others_is_known_and_comes_again() {
    let mut bench = Bench::with(|c| StoreConfig { max_waiting_flows: 12_000, ..c }, LookupPaths::default());
    bench.put(many(1));
    bench.flush();
    let in_the_way = bench.folder.path().join(workspace(1).to_string()).join("flows-2026-11-21.duckdb");
    std::fs::create_dir(&in_the_way).unwrap();
    let tomorrow = |n| ended(flow(1, 24 * HOUR + n, 24 * HOUR + n + 5, 1000));
    bench.now = at(24 * HOUR);
    bench.put((0..12_000).map(tomorrow));
    assert!(bench.store.flush(bench.now).is_err(), "it waits for what is under way, and hears of it");
    assert!(bench.store.wants_recovery());
    std::fs::remove_dir(&in_the_way).unwrap();
    assert_eq!(bench.store.recover(bench.now).unwrap(), 1);
    bench.put_at(2, (0..12_000).map(tomorrow));
    bench.flush();
    assert_eq!(bench.octets(0, 48 * HOUR), 2 * 12_000 * 1500, "each once");
}

#[test]
fn flows_that_are_written_beside_others_are_seen_and_counted_once() {
    let mut bench = Bench::with(|c| StoreConfig { max_waiting_flows: 12_000, ..c }, LookupPaths::default());
    for part in 1..=4 {
        bench.put(many(part));
        assert_eq!(bench.octets(0, HOUR), part.unsigned_abs() * 12_000 * 1500, "whoever asks waits for them");
    }
    bench.put(many(5));
    let mut bench = bench.crash();
    assert_eq!(bench.store.replay_after(), 4, "its position was not noted");
    let repeated = bench.put_at(5, many(5)).repeated;
    bench.flush();
    assert_eq!((repeated, bench.octets(0, HOUR)), (12_000, 5 * 12_000 * 1500), "but it was written");
}

#[test]
fn a_lost_position_costs_time_alone() {
    let mut bench = Bench::new();
    for n in 1..=20 {
        bench.put_at(n, batch(n));
    }
    bench.flush();
    let before = counts(&bench);
    std::fs::remove_file(bench.folder.path().join("position")).unwrap();
    let mut bench = bench.crash();
    assert_eq!(bench.store.replay_after(), 0);
    for n in 1..=20 {
        bench.put_at(n, batch(n));
    }
    bench.flush();
    assert_eq!(counts(&bench), before);
}

#[test]
fn what_waits_long_is_written_by_itself() {
    let mut bench = Bench::new();
    bench.put_at(1, batch(1));
    bench.now = bench.now + Duration::from_secs(60);
    bench.put_at(2, batch(2));
    assert_eq!(bench.store.replay_after(), 2);
}

#[test]
fn workspaces_see_their_own() {
    let mut bench = Bench::new();
    bench.put_at(1, batch(1));
    bench.flush();
    let other = bench.store.explore(workspace(2), &question(0, HOUR), &Budget::default()).unwrap();
    assert_eq!(other.total.total, 0);
    assert_eq!(bench.store.usage(Some(workspace(2))).kinds.iter().map(|k| k.bytes).sum::<u64>(), 0);
    assert!(bench.store.usage(None).kinds.iter().map(|k| k.bytes).sum::<u64>() > 0);
}

#[test]
fn the_past_and_the_future_are_refused_and_counted() {
    let mut bench = Bench::new();
    let taken = bench
        .put_at(1, [ended(flow(1, -100 * 24 * HOUR, -100 * 24 * HOUR, 1)), ended(flow(2, 60 * HOUR, 60 * HOUR, 1))]);
    assert_eq!((taken.too_old, taken.too_new, taken.stored), (1, 1, 0));
}

#[test]
fn too_many_series_are_refused_and_counted() {
    let mut bench = Bench::with(|c| netwatch_storage::StoreConfig { max_series: 2, ..c }, LookupPaths::default());
    let taken = bench.put_at(1, ["a", "b", "c"].map(|name| sample(&series(name), 1, Value::Integer(1))));
    assert_eq!((taken.stored, taken.too_many_series), (2, 1));
}

#[test]
fn retention_deletes_whole_files_by_age_and_by_size() {
    let mut retention = Retention::default();
    retention.set(Kind::Flows, Keep { age: Duration::from_secs(5 * 86_400), bytes: 1 });
    let mut bench =
        Bench::with(|c| netwatch_storage::StoreConfig { retention: retention.clone(), ..c }, LookupPaths::default());
    bench.now = at(49 * HOUR);
    for day in 0..3 {
        bench.put((1..=3).map(|n| ended(flow(n, day * 24 * HOUR, day * 24 * HOUR + 5, 1000))));
    }
    bench.flush();
    let flows = |bench: &Bench| bench.store.usage(None).kinds.iter().find(|k| k.kind == Kind::Flows).map(|k| k.files);
    assert_eq!(flows(&bench), Some(3));
    let upkeep = bench.store.upkeep(bench.now).unwrap();
    assert_eq!(
        (flows(&bench), upkeep.deleted, upkeep.events.len()),
        (Some(1), 2, 2),
        "the newest stays, and it is told"
    );
    assert_eq!(bench.octets(0, 72 * HOUR), 3 * 3 * 1500, "the sums are kept for their own time");
    bench.now = at(200 * 24 * HOUR);
    assert!(bench.store.upkeep(bench.now).unwrap().deleted >= 4);
    assert_eq!(flows(&bench), Some(0));
}

#[test]
fn limits_change_while_the_store_is_open() {
    let mut bench = Bench::new();
    for day in 0..4 {
        bench.now = at(day * 24 * HOUR + 7200);
        bench.put([ended(flow(1, day * 24 * HOUR + 60, day * 24 * HOUR + 90, 1000))]);
        bench.flush();
    }
    let flows = |bench: &Bench| bench.store.usage(Some(workspace(1))).kinds[Kind::Flows as usize];
    assert_eq!((flows(&bench).files, flows(&bench).keep), (4, Retention::default().of(Kind::Flows)));
    let mut limits = bench.store.limits();
    let keep = Keep { age: Duration::from_secs(2 * 86_400 + 1), bytes: u64::MAX };
    limits.retention.set(Kind::Flows, keep);
    bench.store.set_limits(limits.clone());
    bench.store.upkeep(bench.now).unwrap();
    assert_eq!((flows(&bench).files, flows(&bench).keep), (3, keep));
    let old = bench.put([ended(flow(2, 60, 90, 1000))]);
    assert_eq!((old.stored, old.too_old), (0, 1));
    // Another workspace's limit changes nothing here; the own one does, whatever the kind, but for the files that are written to.
    limits.workspaces.insert(workspace(2), 1);
    bench.store.set_limits(limits.clone());
    assert_eq!(bench.store.upkeep(bench.now).unwrap().deleted, 0);
    limits.workspaces.insert(workspace(1), 1);
    bench.store.set_limits(limits.clone());
    let done = bench.store.upkeep(bench.now).unwrap();
    assert!(done.deleted >= 2, "{done:?}");
    assert!(done.events[0].text.to_string().contains("because it may take 0 MiB"), "{:?}", done.events);
    assert_eq!(flows(&bench).files, 1);
    assert_eq!(bench.octets(3 * 24 * HOUR, 4 * 24 * HOUR), 1500, "the newest stays");
    limits.watermarks.stop_bytes = u64::MAX;
    bench.store.set_limits(limits);
    bench.store.upkeep(bench.now).unwrap();
    assert_eq!(bench.store.usage(None).disk.state, netwatch_storage::DiskState::ReadOnly);
}

#[test]
fn a_full_disk_refuses_what_is_new_and_answers_what_is_old() {
    let mut bench = Bench::new();
    bench.put_at(1, batch(1));
    bench.flush();
    let folder = bench.folder;
    let watermarks = Watermarks { warn_share: 0.0, stop_share: 0.0, stop_bytes: u64::MAX };
    let config = netwatch_storage::StoreConfig { watermarks, ..crate::support::config(folder.path()) };
    drop(bench.store);
    let lookups = std::sync::Arc::new(netwatch_storage::Lookups::new(LookupPaths::default()));
    let (store, _) = netwatch_storage::DuckStore::open(config, lookups, at(0)).unwrap();
    let key = netwatch_model::BatchKey { agent: Default::default(), boot: Default::default(), sequence: 1 };
    let batch = netwatch_model::Batch { key, records: batch(2) };
    let refused = store.append(workspace(1), 2, batch, at(0)).unwrap_err();
    assert!(matches!(refused, netwatch_storage::StoreError::ReadOnly), "{refused}");
    assert_eq!(store.explore(workspace(1), &question(0, HOUR), &Budget::default()).unwrap().total.total, 1650);
}

#[test]
fn a_question_is_stopped() {
    let mut bench = Bench::new();
    bench.put_at(1, batch(1));
    let cancel = Cancel::default();
    cancel.cancel();
    let stopped = bench.store.explore(workspace(1), &question(0, HOUR), &Budget { cancel, ..Budget::default() });
    assert!(matches!(stopped.unwrap_err(), netwatch_storage::StoreError::Cancelled(_)));
}
