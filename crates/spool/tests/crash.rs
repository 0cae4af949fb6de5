//! Crashes of a real process on a real disk: `SIGKILL` at any moment, power cuts, a disk that is full.
//!
//! A child appends from four threads, waits for each record to be durable, and says so on a pipe. What it has said must be there.
//! `NETWATCH_TEST_CRASHES` sets how often; the default keeps the tests short.

use std::collections::HashMap;
use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use netwatch_model::Position;
use netwatch_spool::{AppendError, Checkpoint, Config, Directory, Item, Recovery, Spool, SpoolMetrics};
use netwatch_telemetry::clock::{SystemClock, monotonic};
use netwatch_testkit::child::{self, Child};
use netwatch_testkit::disk::{Disk, Stage};

const PREFIX: &str = "durable ";

fn crashes(default: usize) -> usize {
    std::env::var("NETWATCH_TEST_CRASHES").ok().and_then(|text| text.parse().ok()).unwrap_or(default)
}

fn config() -> Config {
    Config { segment_bytes: 256 << 10, max_bytes: 1 << 30, reserve_bytes: 64 << 10, ..Config::spool("reader") }
}

fn open(path: &Path) -> (Spool, Recovery) {
    let files = Arc::new(Directory::new(path));
    Spool::open(config(), files, Arc::new(SystemClock), SpoolMetrics::unregistered()).unwrap()
}

/// What record `n` of a run holds: its length is that of anything between a word and some kilobytes.
fn payload(run: u64, n: u64) -> Vec<u8> {
    let mut bytes = [run.to_le_bytes(), n.to_le_bytes()].concat();
    let length = 16 + (n.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 51) as usize;
    bytes.resize(length, u8::try_from(n % 251).unwrap());
    bytes
}

/// Appends without end, and says what is durable.
fn work(argument: &str) -> ! {
    let (path, run) = argument.split_once('?').unwrap();
    let run: u64 = run.parse().unwrap();
    let spool = open(Path::new(path)).0;
    std::thread::scope(|scope| {
        for thread in 0..4 {
            let spool = spool.clone();
            scope.spawn(move || {
                for n in (thread..).step_by(4) {
                    let position = spool.commit(spool.append(&payload(run, n)).unwrap()).unwrap();
                    writeln!(std::io::stdout().lock(), "{PREFIX}{position} {n}").unwrap();
                }
            });
        }
    });
    unreachable!("it goes on until it is killed")
}

/// What a child has said to be durable: positions and the payloads that belong there.
fn durable(run: u64, said: &[String]) -> HashMap<Position, Vec<u8>> {
    let parse = |line: &String| {
        let (position, n) = line.split_once(' ')?;
        Some((Position(position.parse().ok()?), payload(run, n.parse().ok()?)))
    };
    said.iter().filter_map(parse).collect()
}

/// All of `durable` is there, once and whole, and nothing else is damaged. Tells how long opening took.
fn check(path: &Path, durable: &HashMap<Position, Vec<u8>>) -> Duration {
    let begun = monotonic();
    let (spool, recovery) = open(path);
    let took = monotonic() - begun;
    let (mut reader, mut found, mut before) = (spool.reader(Position::FIRST), 0, Position::ZERO);
    while let Some(item) = reader.next() {
        match item {
            Item::Record { position, payload, .. } => {
                assert!(position > before, "{position} after {before}");
                before = position;
                if let Some(expected) = durable.get(&position) {
                    assert_eq!(payload, expected, "{position} is not what was appended");
                    found += 1;
                }
            }
            Item::Gap(gap) => {
                let lost = (gap.first.0..=gap.last.0).find(|n| durable.contains_key(&Position(*n)));
                assert_eq!(lost, None, "{gap:?} {recovery:?}");
            }
        }
    }
    assert_eq!(found, durable.len(), "{recovery:?}");
    took
}

#[test]
fn what_was_durable_survives_a_kill() {
    if let Some(argument) = child::argument() {
        work(&argument);
    }
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("log");
    let (mut all, mut slowest) = (HashMap::new(), Duration::ZERO);
    for run in 0..crashes(30) as u64 {
        let argument = format!("{}?{run}", path.display());
        let child = Child::start("what_was_durable_survives_a_kill", &argument, PREFIX);
        // Killed after one record, or some hundreds: in the middle of anything.
        let _so_far = child.wait_for(1 + (run * 37 % 300) as usize);
        all.extend(durable(run, &child.kill()));
        slowest = slowest.max(check(&path, &all));
    }
    assert!(slowest < Duration::from_secs(5), "a restart took {slowest:?}");
    report(&format!(
        "{} kills: {} durable records are there, the slowest start took {slowest:?}",
        crashes(30),
        all.len()
    ));
}

#[test]
fn lab_what_was_durable_survives_a_power_cut() {
    const TEST: &str = "lab_what_was_durable_survives_a_power_cut";
    if let Some(argument) = child::argument() {
        work(&argument);
    }
    let folder = tempfile::tempdir().unwrap();
    let Some(stage) = Stage::new_or_skip(TEST, folder.path(), 200) else { return };
    let mut checked = 0;
    let cuts = crashes(20);
    for run in 0..cuts.div_ceil(10) as u64 {
        let path = stage.path().join("log");
        let _fresh = fs::remove_dir_all(&path);
        let child = Child::start(TEST, &format!("{}?{run}", path.display()), PREFIX);
        let mut said = Vec::new();
        for _ in 0..10.min(cuts) {
            said = child.wait_for(said.len() + 1 + said.len() * 31 % 50);
            let after = stage.cut_power();
            let durable = durable(run, &said);
            check(&after.path().join("log"), &durable);
            checked += durable.len();
        }
        assert!(!child.kill().is_empty());
    }
    report(&format!("{cuts} power cuts: {checked} times a durable record was there"));
}

#[test]
fn lab_a_full_disk_refuses_and_goes_on() {
    const TEST: &str = "lab_a_full_disk_refuses_and_goes_on";
    let folder = tempfile::tempdir().unwrap();
    let Some(disk) = Disk::new_or_skip(TEST, folder.path(), 24) else { return };
    let path = disk.path().join("log");
    let (spool, _) = open(&path);
    let record = vec![7; 60_000];
    let append = || spool.append(&record).and_then(|ticket| spool.commit(ticket));
    let mut there = Vec::new();
    for _ in 0..20 {
        there.push(append().unwrap());
    }
    let ballast = disk.path().join("ballast");
    let filled = fs::write(&ballast, vec![1; 64 << 20]).unwrap_err();
    assert_eq!(filled.kind(), std::io::ErrorKind::StorageFull);
    // What fits into the last blocks may be taken yet. An agent's spool then gives up its oldest for the newest.
    let oldest = spool.statistics().oldest;
    for _ in 0..50 {
        match append() {
            Ok(position) => there.push(position),
            Err(refused) => assert!(matches!(refused, AppendError::NoSpace { .. }), "{refused}"),
        }
    }
    let gaps = spool.gaps();
    assert!(gaps.iter().all(|gap| gap.first >= oldest.unwrap().0));
    let kept = Checkpoint { next: there[there.len() - 3], state: vec![9; 1000] };
    spool.save("reader", &kept).expect("the reserve is for checkpoints");
    fs::remove_file(&ballast).unwrap();
    there.push(append().expect("there is space again"));
    drop(spool);
    let (spool, recovery) = open(&path);
    assert_eq!((recovery.lost(), spool.checkpoint("reader").unwrap()), (0, Some(kept.clone())));
    let mut reader = spool.reader(kept.next);
    let mut read = Vec::new();
    while let Some(Item::Record { position, payload, .. }) = reader.next() {
        assert_eq!(payload, record);
        read.push(position);
    }
    assert_eq!(read, there[there.len() - 4..]);
}

#[expect(clippy::print_stderr, reason = "the figures of a long run")]
fn report(line: &str) {
    eprintln!("{line}");
}
