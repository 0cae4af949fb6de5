//! A full disk under each part of a data directory alone: that part says so and comes back by itself, the others go on.

#[path = "support/durable.rs"]
mod durable;
#[path = "support/ledger.rs"]
mod ledger;

use std::path::Path;

use durable::{House, Running};
use ledger::Ledger;
use netwatch_testkit::disk::Disk;
use serde_json::json;

/// What lies on a disk of its own.
struct Part {
    /// Below the data directory.
    folder: &'static str,
    megabytes: u64,
}

const PEOPLE: usize = 0;
const LOG: usize = 1;
const STORE: usize = 2;

/// Below 2 GiB of free space telemetry is not stored. The files are sparse.
const PARTS: [Part; 3] = [
    Part { folder: "", megabytes: 256 },
    Part { folder: "ingest", megabytes: 256 },
    Part { folder: "telemetry", megabytes: 4096 },
];

/// A house with a disk for each part.
fn house(test: &str, folder: &Path) -> Option<(House, Vec<Disk>)> {
    let house = House::new(folder.join("data"), folder);
    let disk = |(n, part): (usize, &Part)| {
        let image = folder.join(format!("disk-{n}.img"));
        Disk::over_or_skip(test, image, house.data.join(part.folder), part.megabytes)
    };
    let disks = PARTS.iter().enumerate().map(disk).collect::<Option<_>>()?;
    Some((house, disks))
}

/// Whether a batch of events of some length is taken in.
fn takes_in(server: &Running) -> bool {
    let events = vec![json!({"subject": "filling", "text": "x".repeat(900), "severity": "info"}); 20];
    let answer = server.post("/api/v1/ingest/events", &json!({ "events": events }).to_string()).unwrap();
    assert!(matches!(answer.0, 200 | 503), "{answer:?}");
    answer.0 == 200
}

/// Whether a role can be made; `n` makes its name another one.
fn makes_role(server: &Running, n: &mut u32) -> bool {
    *n += 1;
    let role = json!({"name": format!("role {n}"), "permissions": ["traffic.read"]});
    let answer = server.post("/api/v1/roles", &role.to_string()).unwrap();
    assert!(matches!(answer.0, 201 | 503 | 507), "{answer:?}");
    answer.0 == 201
}

/// What must work whatever disk is full.
#[track_caller]
fn goes_on(server: &Running) {
    for target in
        ["/livez", "/readyz", "/api/v1/events", "/api/v1/interfaces", "/api/v1/history/events", "/api/v1/storage"]
    {
        server.ask(target);
    }
}

/// Everything acknowledged is there, and the server is well.
#[track_caller]
fn check(house: &House, ledger: &Ledger) {
    house.up().stop();
    let server = house.up();
    let missing = ledger.missing(&server, &ledger.now());
    assert!(missing.is_empty(), "{missing:.20?}");
    server.stop();
}

#[test]
fn lab_a_full_disk_under_the_log_stops_the_log_alone() {
    const TEST: &str = "lab_a_full_disk_under_the_log_stops_the_log_alone";
    let folder = tempfile::tempdir().unwrap();
    let Some((house, disks)) = house(TEST, folder.path()) else { return };
    let (ledger, mut role) = (Ledger::default(), 0);
    let server = house.up();
    ledger.send(&server, || ledger.wait_for(&server, 10));
    let ballast = disks[LOG].fill();
    server.until("refusing", |server| !takes_in(server));
    goes_on(&server);
    assert!(makes_role(&server, &mut role), "people are on another disk");
    drop(ballast);
    server.until("taking in again", takes_in);
    ledger.send(&server, || ledger.wait_for(&server, 10));
    server.stop();
    let ballast = disks[LOG].fill();
    let server = house.up();
    server.until("refusing", |server| !takes_in(server));
    goes_on(&server);
    drop(ballast);
    server.until("taking in again", takes_in);
    ledger.send(&server, || ledger.wait_for(&server, 10));
    server.stop();
    check(&house, &ledger);
}

#[test]
fn lab_a_full_disk_under_the_store_is_told_and_recovered_from() {
    const TEST: &str = "lab_a_full_disk_under_the_store_is_told_and_recovered_from";
    let folder = tempfile::tempdir().unwrap();
    let Some((house, disks)) = house(TEST, folder.path()) else { return };
    let (ledger, mut role) = (Ledger::default(), 0);
    let server = house.up();
    ledger.send(&server, || ledger.wait_for(&server, 10));
    server.stop();
    // Full from the start: nothing is taken in that could not be stored, and health says why.
    let ballast = disks[STORE].fill();
    let server = house.up();
    server.until("complaining", |server| {
        server.complaint("telemetry store").is_some_and(|why| why.contains("disk")) || !takes_in(server)
    });
    goes_on(&server);
    assert!(makes_role(&server, &mut role), "people are on another disk");
    server.stop();
    drop(ballast);
    // And full while it runs: the log keeps what the store cannot write.
    let server = house.up();
    let ballast = disks[STORE].fill();
    ledger.send(&server, || ledger.wait_for(&server, 10));
    let complains =
        |server: &Running| server.complaint("telemetry store").is_some_and(|why| why.contains("No space left"));
    server.until("complaining", complains);
    goes_on(&server);
    drop(ballast);
    server.until("well", |server| server.complaint("telemetry store").is_none());
    server.stop();
    check(&house, &ledger);
}

#[test]
fn lab_a_full_disk_under_people_stops_changes_alone() {
    const TEST: &str = "lab_a_full_disk_under_people_stops_changes_alone";
    let folder = tempfile::tempdir().unwrap();
    let Some((house, disks)) = house(TEST, folder.path()) else { return };
    let (ledger, mut role) = (Ledger::default(), 0);
    let server = house.up();
    assert!(makes_role(&server, &mut role));
    let ballast = disks[PEOPLE].fill();
    server.until("refusing changes", |server| !makes_role(server, &mut role));
    let why = server.complaint("people").expect("health names what does not work");
    assert!(why.contains("full"), "{why}");
    goes_on(&server);
    ledger.send(&server, || ledger.wait_for(&server, 10));
    drop(ballast);
    assert!(makes_role(&server, &mut role), "there is room again");
    // The copy of a start that fell into that time is made within a minute; until then health says that there is none.
    let why = server.complaint("people").unwrap_or_else(|| "cannot copy".to_owned());
    assert!(why.contains("cannot copy"), "{why}");
    server.stop();
    check(&house, &ledger);
}

#[test]
fn lab_a_disk_that_is_full_at_the_start_under_people_stops_changes_alone() {
    const TEST: &str = "lab_a_disk_that_is_full_at_the_start_under_people_stops_changes_alone";
    let folder = tempfile::tempdir().unwrap();
    let Some((house, disks)) = house(TEST, folder.path()) else { return };
    let (ledger, mut role) = (Ledger::default(), 0);
    let server = house.up();
    ledger.send(&server, || ledger.wait_for(&server, 10));
    assert!(makes_role(&server, &mut role));
    server.stop();
    let ballast = disks[PEOPLE].fill();
    // What was held back for this moment may still take some changes; then there are none.
    let server = house.up();
    server.until("refusing changes", |server| !makes_role(server, &mut role));
    server.stop();
    let server = house.up();
    server.until("refusing changes", |server| !makes_role(server, &mut role));
    let why = server.complaint("people").expect("health names what does not work");
    assert!(why.contains("full"), "{why}");
    goes_on(&server);
    ledger.send(&server, || ledger.wait_for(&server, 10));
    drop(ballast);
    assert!(makes_role(&server, &mut role), "there is room again");
    assert_eq!(server.complaint("people"), None);
    server.stop();
    check(&house, &ledger);
}
