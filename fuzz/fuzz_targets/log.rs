//! A log whose newest segment holds any bytes: it opens, is read to its end, and takes records.
#![no_main]

use std::sync::Arc;

use netwatch_model::{Position, Timestamp};
use netwatch_spool::segment::{Header, Name};
use netwatch_spool::testing::MemoryDisk;
use netwatch_spool::{Config, Spool, SpoolMetrics};
use netwatch_telemetry::clock::ManualClock;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let disk = MemoryDisk::default();
    let name = Name { first: Position(1), salt: 7 };
    let header = Header { name, expected: Position(1), created: Timestamp::ZERO };
    disk.files().create(&name.to_file()).expect("the disk is empty");
    disk.damage(&name.to_file(), |file| {
        file.extend_from_slice(&header.encode());
        file.extend_from_slice(bytes);
    });
    let clock = Arc::new(ManualClock::at(Timestamp::from_secs(1_800_000_000)));
    let (spool, _) = Spool::open(Config::spool("reader"), disk.files(), clock, SpoolMetrics::unregistered()).expect("it opens");
    let ticket = spool.append(b"one more").expect("it takes records");
    let position = spool.commit(ticket).expect("the disk is well");
    let mut reader = spool.reader(Position::FIRST);
    while reader.next().is_some() {}
    assert!(reader.position() > position);
});
