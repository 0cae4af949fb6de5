//! Self-update of a running agent: trials by the clock that a test moves, offers, faults.

use netwatch_telemetry::clock::ManualClock;
use tempfile::TempDir;

use super::files::Files;
use super::signer::Signer;
use super::testing::{Signed, VERSION, signed, signed_by};
use super::*;
use crate::session::Install;

const OLD: Version = Version::new(0, 1, 0);
const MINUTE: Duration = Duration::from_mins(1);

struct World {
    directory: TempDir,
    keys: Vec<Key>,
    collectors: Collectors,
}

impl World {
    fn new(keys: Vec<Key>) -> Self {
        Self { directory: tempfile::tempdir().unwrap(), keys, collectors: Collectors::default() }
    }

    /// A process of that version.
    fn process(&self, version: Version, change: impl FnOnce(&mut Settings)) -> Updates {
        let home = Home::new(self.directory.path());
        let keys = self.keys.clone();
        let mut settings = Settings { home, version: Some(version), keys, install: Install::Plain, supervised: true };
        change(&mut settings);
        Updates::new(settings, self.collectors.clone())
    }

    fn files(&self) -> Files {
        Files::new(&Home::new(self.directory.path()))
    }

    fn state(&self) -> State {
        self.files().look().unwrap()
    }

    /// A start of the installed program, which is followed by the chosen one.
    fn start(&self) {
        let mut state = self.state();
        state.start(OLD);
        self.files().save(&state).unwrap();
    }

    /// A program was fetched.
    fn fetched(&self, release: &Release) {
        let mut state = self.state();
        state.fetched(release.clone());
        self.files().save(&state).unwrap();
    }

    /// What the server sees of it.
    fn standing(&self) -> Option<(v1::State, String)> {
        let all = self.collectors.status();
        let found = all.into_iter().find(|status| status.name == "update");
        found.map(|status| (status.state(), status.message))
    }
}

fn update(release: &Release) -> v1::Update {
    v1::Update {
        version: release.version.to_string(),
        bytes: release.bytes,
        digest: release.digest.as_bytes().to_vec().into(),
        signature: release.signature.clone(),
    }
}

/// Lets minutes pass, in looks of one; the version that is given up, and after how many.
fn pass(updates: &Updates, clock: &ManualClock, minutes: u32) -> Option<(Version, u32)> {
    (0..=minutes).find_map(|minute| {
        let ended = updates.known().look(clock.monotonic());
        clock.advance(MINUTE);
        ended.map(|version| (version, minute))
    })
}

fn clock() -> ManualClock {
    ManualClock::at(netwatch_model::Timestamp::from_secs(1_700_000_000))
}

#[test]
fn a_version_on_trial_has_ten_minutes_and_the_older_one_finds_out_why() {
    let Signed { release, keys, .. } = signed(VERSION, b"new");
    for reaches in [true, false] {
        let world = World::new(keys.clone());
        world.fetched(&release);
        world.start();
        let trial = world.process(VERSION, |_| {});
        assert_eq!(pass(&trial, &clock(), 60), Some((VERSION, 10)));
        world.start();
        let (older, clock) = (world.process(OLD, |_| {}), clock());
        if reaches {
            assert_eq!(pass(&older, &clock, 5), None);
            older.welcomed();
            assert_eq!(world.state().bad, [VERSION].into());
            let (state, message) = world.standing().unwrap();
            assert!(state == v1::State::Degraded && message.starts_with("0.2.0 did not reach the server"), "{message}");
        } else {
            assert_eq!(pass(&older, &clock, 60), None);
            older.welcomed();
            assert_eq!(world.state(), State { newest: Some(OLD), ..State::default() }, "it is not to blame");
        }
    }
}

#[test]
fn a_version_that_is_welcomed_in_time_stays_and_the_files_of_others_go() {
    let Signed { release, keys, .. } = signed(VERSION, b"new");
    let world = World::new(keys);
    world.fetched(&release);
    world.start();
    let releases = world.directory.path().join("releases");
    std::fs::create_dir(&releases).unwrap();
    std::fs::write(releases.join(VERSION.file_name()), b"new").unwrap();
    let (trial, clock) = (world.process(VERSION, |_| {}), clock());
    std::fs::write(releases.join(OLD.file_name()), b"old").unwrap();
    assert_eq!(pass(&trial, &clock, 9), None);
    trial.welcomed();
    assert_eq!(pass(&trial, &clock, 60), None);
    assert_eq!(world.state().good, Some(release));
    assert_eq!(std::fs::read_dir(releases).unwrap().count(), 1);
    assert_eq!(world.standing(), Some((v1::State::Running, String::new())));
}

#[test]
fn a_host_that_sleeps_loses_no_time_of_a_trial_and_one_without_a_supervisor_goes_on() {
    let Signed { release, keys, .. } = signed(VERSION, b"new");
    let world = World::new(keys);
    world.fetched(&release);
    world.start();
    let (trial, clock) = (world.process(VERSION, |settings| settings.supervised = false), clock());
    assert_eq!(trial.known().look(clock.monotonic()), None);
    clock.advance(Duration::from_hours(8));
    assert_eq!(trial.known().look(clock.monotonic()), None);
    assert!(!world.state().candidate.unwrap().suspect);
    assert_eq!(pass(&trial, &clock, 60), None, "nobody would start the older one");
    assert!(world.state().candidate.unwrap().suspect);
    trial.welcomed();
    assert_eq!(world.state().good, Some(release), "late is better than never");
}

#[test]
fn an_offer_is_fetched_within_a_minute_and_again_after_an_hour() {
    let Signed { release, keys, .. } = signed(VERSION, b"new");
    let world = World::new(keys);
    let updates = world.process(OLD, |_| {});
    updates.welcomed();
    updates.offered(&update(&release), MINUTE, 0.5);
    assert!(updates.due(MINUTE + MINUTE / 2 - Duration::from_millis(1)).is_none());
    assert!(updates.due(2 * MINUTE).is_some() && updates.due(2 * MINUTE).is_none(), "once");
    assert_eq!(world.standing().unwrap().1, "0.2.0 is being fetched");
    assert_eq!(updates.fetched(release.clone(), Err(FetchError::Late), 2 * MINUTE), None);
    let (state, message) = world.standing().unwrap();
    assert!(state == v1::State::Degraded && message.contains("(1 times since the start)"), "{message}");
    assert!(updates.due(61 * MINUTE).is_none());
    assert!(updates.due(62 * MINUTE).is_some());
    assert_eq!(updates.fetched(release.clone(), Ok(()), 62 * MINUTE), Some(VERSION), "it ends, to be started again");
    assert_eq!(world.state().next(OLD), Some(VERSION));
    updates.welcomed();
    updates.offered(&update(&release), 63 * MINUTE, 0.0);
    assert!(updates.due(64 * MINUTE).is_none(), "it is there already");
}

#[test]
fn a_session_that_ends_takes_its_fetch_along() {
    let Signed { release, keys, .. } = signed(VERSION, b"new");
    let world = World::new(keys);
    let updates = world.process(OLD, |settings| settings.supervised = false);
    updates.offered(&update(&release), MINUTE, 0.0);
    assert!(updates.due(MINUTE).is_some());
    updates.welcomed();
    updates.offered(&update(&release), MINUTE, 0.0);
    assert!(updates.due(MINUTE).is_some(), "the next session begins anew");
    assert_eq!(updates.fetched(release, Ok(()), MINUTE), None, "nobody would start it again");
}

#[test]
fn what_is_not_taken_says_why() {
    let signer = Signer::new();
    let good = signed_by(&signer, VERSION, b"new");
    let strange = signed(VERSION, b"new").release;
    let renamed = Release { version: Version::new(0, 3, 0), ..good.release.clone() };
    let large = Release { bytes: MOST_BYTES + 1, ..good.release.clone() };
    for (release, why) in [(&strange, "does not trust"), (&renamed, "not for netwatch-0.3.0"), (&large, "256 MiB")] {
        let world = World::new(good.keys.clone());
        let updates = world.process(OLD, |_| {});
        updates.offered(&update(release), MINUTE, 0.0);
        assert!(updates.due(MINUTE).is_none());
        let (state, message) = world.standing().unwrap();
        assert!(state == v1::State::Degraded && message.contains(why), "{message}");
    }
    let world = World::new(Vec::new());
    let updates = world.process(OLD, |_| {});
    assert_eq!(world.standing(), None);
    updates.offered(&update(&good.release), MINUTE, 0.0);
    assert!(updates.due(MINUTE).is_none() && world.standing().unwrap().1.contains("--update-key"));
    let package = world.process(OLD, |settings| {
        (settings.install, settings.keys) = (Install::Package, good.keys.clone());
    });
    package.offered(&update(&good.release), MINUTE, 0.0);
    assert!(package.due(MINUTE).is_none() && world.standing().is_none());
    for (version, digest) in [("0.2", vec![0; 32]), ("0.2.0", vec![0; 31]), ("../0.2.0", vec![0; 32])] {
        let offer = v1::Update { version: version.to_owned(), digest: digest.into(), ..update(&good.release) };
        let updates = World::new(good.keys.clone()).process(OLD, |_| {});
        updates.offered(&offer, MINUTE, 0.0);
        assert!(updates.due(MINUTE).is_none());
    }
}
