//! The whole server, killed at any moment and cut from power while programs send: what was acknowledged is in history, once.
//!
//! `NETWATCH_TEST_CRASHES` sets how often it is killed, `NETWATCH_TEST_CUTS` how often the power is cut; the defaults keep the tests short.

#[path = "support/durable.rs"]
mod durable;
#[path = "support/ledger.rs"]
mod ledger;

use std::time::Duration;

use durable::{House, Running, how_many, say};
use ledger::{Ledger, Moment};
use netwatch_testkit::disk::Stage;

/// Every so many kills one comes while the server starts.
const EARLY: usize = 5;
/// Every so many kills one comes while the server ends, when history writes what it has.
const LATE: usize = 3;

/// Megabytes of the disk: telemetry is not stored below 2 GiB of free space.
const DISK: u64 = 4096;

/// History is asked after an orderly end: then everything is flushed.
#[track_caller]
fn check(house: &House, ledger: &Ledger, moment: &Moment) -> Running {
    house.up().stop();
    let server = house.up();
    let missing = ledger.missing(&server, moment);
    assert!(missing.is_empty(), "{} of {} are lost: {missing:.20?}\n{}", missing.len(), moment.records(), house.said());
    server
}

/// Another number for each `n`, below `below`.
fn random(n: usize, below: u64) -> u64 {
    let mixed = (n as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    ((mixed ^ (mixed >> 29)).wrapping_mul(0xbf58_476d_1ce4_e5b9) >> 32) % below.max(1)
}

#[test]
fn what_was_acknowledged_survives_kills() {
    let folder = tempfile::tempdir().unwrap();
    let house = House::new(folder.path().join("data"), folder.path());
    let (kills, ledger) = (how_many("NETWATCH_TEST_CRASHES", 10), Ledger::default());
    let mut starts = Vec::new();
    for n in 0..kills {
        if n % EARLY == EARLY - 1 {
            house.start_and_kill(Duration::from_millis(random(n, 400)));
            continue;
        }
        let server = house.up();
        starts.push(server.took);
        ledger.send(&server, || {
            ledger.wait_for(&server, 1 + random(n, 80) as usize);
            let is_late = n % LATE == LATE - 1;
            if is_late {
                server.ask_to_stop();
            }
            // waits: for the moment of the crash, which is what is tested.
            std::thread::sleep(Duration::from_micros(random(n + kills, if is_late { 60_000 } else { 8_000 })));
            server.crash();
        });
    }
    check(&house, &ledger, &ledger.now()).stop();
    starts.sort();
    let (median, worst) = (starts[starts.len() / 2], starts[starts.len() - 1]);
    say(&format!(
        "{kills} kills: {} acknowledged records of {} batches are there, each once; ready after {median:?} (median), {worst:?} (worst)",
        ledger.records(),
        ledger.acked(),
    ));
}

#[test]
fn lab_what_was_acknowledged_survives_power_cuts() {
    const TEST: &str = "lab_what_was_acknowledged_survives_power_cuts";
    let folder = tempfile::tempdir().unwrap();
    let Some(stage) = Stage::new_or_skip(TEST, folder.path(), DISK) else { return };
    let house = House::new(stage.path().join("data"), folder.path());
    let (cuts, ledger) = (how_many("NETWATCH_TEST_CUTS", 3), Ledger::default());
    let (mut checked, mut worst) = (0, Duration::ZERO);
    let mut server = house.up();
    for n in 0..cuts {
        let (moment, after) = ledger.send(&server, || {
            ledger.wait_for(&server, 1 + random(n, 80) as usize);
            (ledger.now(), stage.cut_power())
        });
        let found = tempfile::tempdir().unwrap();
        let house_after = House::new(after.path().join("data"), found.path());
        let first = house_after.up();
        worst = worst.max(first.took);
        first.stop();
        let again = house_after.up();
        let missing = ledger.missing(&again, &moment);
        assert!(missing.is_empty(), "cut {n}: {missing:.20?}\n{}", house_after.said());
        checked += moment.records();
        again.stop();
        if n % 10 == 9 {
            server.crash();
            drop(server);
            server = house.up();
        }
    }
    server.stop();
    say(&format!(
        "{cuts} power cuts: {checked} times an acknowledged record was there, once; ready after {worst:?} (worst)"
    ));
}
