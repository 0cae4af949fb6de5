//! Damaged files: detected, set aside, made anew; the loss is bounded and told.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use netwatch_model::{EventKind, Value};
use netwatch_storage::{Budget, Checker, Depth, Dimension, Explore, LookupPaths, StoreConfig, TelemetryStore};

use crate::support::{Bench, HOUR, at, ended, flow, question, sample, series, workspace};

/// Not a test: what [`checker`] has this program do. It says what it found where the store listens, and nothing else.
#[test]
fn child() {
    let Ok(arguments) = std::env::var("NETWATCH_TEST_CHECK") else { return };
    assert_eq!(arguments, "yes");
    let given: Vec<String> = std::env::args().skip_while(|a| a != "--").skip(1).collect();
    let [depth, root, files @ ..] = &given[..] else { panic!("{given:?}") };
    let files: Vec<PathBuf> = files.iter().map(PathBuf::from).collect();
    let depth = Depth::from_word(depth).unwrap();
    // The harness has begun a line.
    writeln!(std::io::stdout()).unwrap();
    netwatch_storage::report_files(Path::new(root), &files, depth, &mut std::io::stdout()).unwrap();
}

/// Calls this very program.
fn checker() -> Checker {
    Checker {
        program: std::env::current_exe().unwrap(),
        arguments: ["--exact", "damage::child", "--nocapture", "--test-threads=1", "--"].map(str::to_owned).to_vec(),
        environment: vec![("NETWATCH_TEST_CHECK".to_owned(), "yes".to_owned())],
        patience: Duration::from_secs(30),
    }
}

fn put(bench: &mut Bench, n: u64) {
    let day = i64::try_from(n % 2).unwrap_or(0) * 24 * HOUR;
    let eth0 = series("eth0");
    bench.put_at(
        n,
        [
            ended(flow(u8::try_from(n).unwrap_or(1), day + 60, day + 90, 1000)),
            sample(&eth0, day + 60, Value::Integer(n)),
        ],
    );
}

/// Two days of data, 40 batches, in a store that has its files checked by a child.
fn two_days() -> Bench {
    let mut bench = Bench::with(|c| StoreConfig { checker: Some(checker()), ..c }, LookupPaths::default());
    bench.now = at(30 * HOUR);
    (1..=40).for_each(|n| put(&mut bench, n));
    bench.flush();
    bench
}

fn by_source(bench: &Bench) -> u64 {
    bench
        .explore(&Explore { dimensions: vec![Dimension::Source, Dimension::Port], ..question(0, 48 * HOUR) })
        .total
        .total
}

fn repair(bench: &mut Bench) {
    let from = bench.store.replay_after();
    (from + 1..=40).for_each(|n| put(bench, n));
    bench.flush();
}

#[test]
fn whole_files_are_left_alone() {
    let bench = two_days().crash();
    assert_eq!(bench.events, []);
    assert_eq!(by_source(&bench), 40 * 1500);
}

#[test]
fn every_kind_of_file_is_made_anew_from_the_log() {
    let bench = two_days();
    let files: Vec<String> =
        bench.files().iter().map(|p| p.file_name().unwrap().to_string_lossy().into_owned()).collect();
    drop(bench);
    for file in files.iter().filter(|f| f.ends_with(".duckdb")) {
        for harm in [truncate as fn(&Path), empty, scramble_head] {
            let bench = two_days();
            let Bench { store, folder, .. } = bench;
            let config = store.config().clone();
            drop(store);
            harm(&folder.path().join(workspace(1).to_string()).join(file));
            let lookups = std::sync::Arc::new(netwatch_storage::Lookups::new(LookupPaths::default()));
            let (store, events) =
                netwatch_storage::DuckStore::open(config, lookups, at(30 * HOUR)).expect("always starts");
            assert_eq!(
                events.iter().map(|e| e.kind).collect::<Vec<_>>(),
                [EventKind::StoreDamaged],
                "{file}: {events:?}"
            );
            assert_eq!(store.usage(None).set_aside, 1);
            assert_eq!(store.replay_after(), 0, "the log is asked for from its beginning");
            let mut bench = Bench::new();
            let spare = std::mem::replace(&mut bench.store, store);
            let spare_folder = std::mem::replace(&mut bench.folder, folder);
            bench.now = at(30 * HOUR);
            repair(&mut bench);
            assert_eq!(by_source(&bench), 40 * 1500, "{file}");
            assert_eq!(bench.octets(0, 48 * HOUR), 40 * 1500, "{file}");
            drop((spare, spare_folder));
        }
    }
}

#[test]
fn a_flipped_bit_is_found_when_it_is_read() {
    let bench = two_days();
    let path = bench.files().into_iter().find(|p| p.to_string_lossy().contains("flows-")).unwrap();
    let mut bench = bench.crash();
    let now = bench.now;
    // Opened and closed once, so that everything is in the file itself.
    bench.store.recover(now).unwrap();
    drop(std::mem::replace(&mut bench.store, Bench::new().store));
    let mut bytes = fs::read(&path).unwrap();
    // Behind the three headers every byte of a block in use is covered by its checksum.
    let at_byte = 12_288 + 4096;
    bytes[at_byte] ^= 0x40;
    fs::write(&path, &bytes).unwrap();
    let config = StoreConfig { checker: Some(checker()), ..crate::support::config(bench.folder.path()) };
    let lookups = std::sync::Arc::new(netwatch_storage::Lookups::new(LookupPaths::default()));
    let (store, events) = netwatch_storage::DuckStore::open(config, lookups, now).expect("always starts");
    bench.store = store;
    if events.is_empty() {
        let read = bench.store.explore(
            workspace(1),
            &Explore {
                dimensions: vec![Dimension::Source, Dimension::Port, Dimension::Name],
                ..question(0, 48 * HOUR)
            },
            &Budget::default(),
        );
        if read.is_ok() {
            // The flip hit a column that this question does not read, or free space.
            return;
        }
        assert!(bench.store.wants_recovery());
        bench.store.recover(now).unwrap();
        assert_eq!(
            bench.store.upkeep(now).unwrap().events.iter().filter(|e| e.kind == EventKind::StoreDamaged).count(),
            1
        );
    }
    repair(&mut bench);
    assert_eq!(by_source(&bench), 40 * 1500);
}

fn truncate(path: &Path) {
    let file = fs::OpenOptions::new().write(true).open(path).unwrap();
    file.set_len(file.metadata().unwrap().len() / 2 + 100).unwrap();
}

fn empty(path: &Path) {
    fs::write(path, b"not a database at all").unwrap();
}

fn scramble_head(path: &Path) {
    let mut bytes = fs::read(path).unwrap();
    bytes.iter_mut().take(12_000).for_each(|b| *b ^= 0x5a);
    fs::write(path, bytes).unwrap();
}
