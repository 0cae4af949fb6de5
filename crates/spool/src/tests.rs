use std::sync::Arc;
use std::time::Duration;

use netwatch_model::{Position, Timestamp};
use netwatch_telemetry::clock::ManualClock;

use crate::testing::MemoryDisk;
use crate::*;

mod damage;
mod limits;
mod model;

const START: Timestamp = Timestamp::from_secs(1_800_000_000);

fn small(when_full: WhenFull) -> Config {
    Config {
        segment_bytes: 4096,
        max_bytes: 32 << 10,
        max_age: Duration::from_hours(24),
        keep_bytes: 0,
        keep_age: Duration::ZERO,
        when_full,
        reserve_bytes: 4096,
        consumers: vec!["reader"],
    }
}

fn open_with(disk: &MemoryDisk, config: Config, clock: &ManualClock) -> (Spool, Recovery) {
    Spool::open(config, disk.files(), Arc::new(clock.clone()), SpoolMetrics::unregistered()).unwrap()
}

fn open(disk: &MemoryDisk) -> (Spool, Recovery) {
    open_with(disk, small(WhenFull::DropOldest), &ManualClock::at(START))
}

fn put(spool: &Spool, payload: &[u8]) -> Result<Position, AppendError> {
    spool.append(payload).and_then(|ticket| spool.commit(ticket))
}

/// A record by its position.
type Read = (u64, Vec<u8>);

/// Everything from a position on: records, and gaps as (first, last).
fn read(spool: &Spool, from: u64) -> (Vec<Read>, Vec<(u64, u64)>) {
    let (mut records, mut gaps) = (Vec::new(), Vec::new());
    let mut reader = spool.reader(Position(from));
    while let Some(item) = reader.next() {
        match item {
            Item::Record { position, payload, .. } => records.push((position.0, payload.to_vec())),
            Item::Gap(gap) => gaps.push((gap.first.0, gap.last.0)),
        }
    }
    (records, gaps)
}

fn texts(spool: &Spool) -> Vec<String> {
    read(spool, 0).0.into_iter().map(|(_, payload)| String::from_utf8(payload).unwrap()).collect()
}

#[test]
fn what_was_committed_is_read_again_after_a_restart() {
    let disk = MemoryDisk::default();
    let (spool, _) = open(&disk);
    assert_eq!(put(&spool, b"one").unwrap(), Position(1));
    assert_eq!(put(&spool, b"two").unwrap(), Position(2));
    let ticket = spool.append(b"three").unwrap();
    assert_eq!(texts(&spool), ["one", "two"], "what is not durable is not read");
    spool.commit(ticket).unwrap();
    drop(spool);
    let (spool, recovery) = open(&disk);
    assert_eq!((recovery.intact, recovery.lost(), recovery.torn_bytes), (3, 0, 0));
    assert!(put(&spool, b"four").unwrap() > Position(3));
    assert_eq!(texts(&spool), ["one", "two", "three", "four"]);
    assert_eq!(read(&spool, 2).0[0], (2, b"two".to_vec()));
}

#[test]
fn one_process_at_a_time_has_a_log() {
    let disk = MemoryDisk::default();
    let (spool, _) = open(&disk);
    let again = Spool::open(
        small(WhenFull::Refuse),
        disk.files(),
        Arc::new(ManualClock::at(START)),
        SpoolMetrics::unregistered(),
    );
    assert_eq!(
        again.unwrap_err().to_string(),
        "the log in memory is in use by another Netwatch (process 7): stop that one, or choose another directory with --data-dir"
    );
    drop(spool);
    open(&disk);
}
