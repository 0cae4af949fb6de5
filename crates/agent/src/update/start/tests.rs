//! Which program runs at a start: real files and real programs, run beside the test instead of in its place.

use std::cell::Cell;
use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::process::Command;

use super::super::state::MOST_STARTS;
use super::super::testing::{Signed, VERSION, signed};
use super::*;

const INSTALLED: Version = Version::new(0, 1, 0);
const FAILS: &[u8] = b"#!/bin/sh\nexit 7\n";
/// Fails unless it is told what it was chosen as.
const TELLS: &[u8] = b"#!/bin/sh\ntest \"$NETWATCH_AGENT_RELEASE\" = \"trial 0.2.0\" || exit 1\n";

/// An agent to which a program was fetched.
struct World {
    directory: tempfile::TempDir,
    settings: Settings,
    files: Files,
}

impl World {
    fn new(signed: Signed) -> Self {
        let Signed { release, keys, program } = signed;
        let directory = tempfile::tempdir().unwrap();
        let home = Home::new(directory.path());
        let files = Files::new(&home);
        let mut parts = vec![program];
        files.receive(&release, &keys, || Ok::<_, super::super::ProgramError>(parts.pop())).unwrap();
        let settings = Settings { home, version: Some(INSTALLED), keys, install: Install::Plain, supervised: true };
        let world = Self { directory, settings, files };
        world.change(|state| state.fetched(release));
        world
    }

    /// What the chosen program ended with; none when the installed one goes on.
    fn start(&self) -> Option<i32> {
        // As after execve(2), nothing of the starter goes on after it.
        let run = |path: &Path, value: &str| match Command::new(path).env(RELEASE, value).status() {
            Ok(status) => resume_unwind(Box::new(status.code().unwrap())),
            Err(error) => error,
        };
        let started = catch_unwind(AssertUnwindSafe(|| start(&self.settings, None, run).unwrap()));
        os::end_after(0);
        started.err().map(|code| *code.downcast().unwrap())
    }

    fn state(&self) -> State {
        self.files.look().unwrap()
    }

    fn change(&self, change: impl FnOnce(&mut State)) {
        let mut state = self.state();
        change(&mut state);
        self.files.save(&state).unwrap();
    }
}

#[test]
fn a_new_program_that_fails_is_tried_three_times_and_then_the_installed_one_goes_on() {
    let world = World::new(signed(VERSION, FAILS));
    for _ in 0..MOST_STARTS {
        assert_eq!(world.start(), Some(7));
    }
    assert_eq!(world.start(), None);
    assert!(world.state().candidate.is_some_and(|candidate| candidate.suspect));
    world.change(|state| _ = state.welcomed(INSTALLED));
    assert_eq!((world.start(), world.state().bad), (None, [VERSION].into()));
}

#[test]
fn a_program_knows_that_it_is_on_trial_and_runs_for_good_once_it_is_welcomed() {
    let world = World::new(signed(VERSION, TELLS));
    assert_eq!(world.start(), Some(0));
    world.change(|state| _ = state.welcomed(VERSION));
    assert_eq!(world.start(), Some(1), "it is not on trial any more");
    assert_eq!(world.state().good.map(|good| good.version), Some(VERSION));
}

#[test]
fn what_cannot_be_verified_or_run_is_bad_and_the_installed_program_goes_on() {
    let altered = World::new(signed(VERSION, FAILS));
    fs::write(altered.files.program(VERSION), b"#!/bin/sh\nexit 0\n").unwrap();
    let gone = World::new(signed(VERSION, FAILS));
    fs::remove_file(gone.files.program(VERSION)).unwrap();
    let no_program = World::new(signed(VERSION, b"\x7fELF, or so it says"));
    let mut other_key = World::new(signed(VERSION, FAILS));
    other_key.settings.keys = signed(VERSION, FAILS).keys;
    for world in [altered, gone, no_program, other_key] {
        assert_eq!(world.start(), None);
        assert_eq!(world.state().bad, [VERSION].into());
    }
}

#[test]
fn a_good_program_whose_file_is_damaged_gives_way_to_the_installed_one() {
    let world = World::new(signed(VERSION, TELLS));
    world.change(|state| _ = state.welcomed(VERSION));
    fs::write(world.files.program(VERSION), b"").unwrap();
    assert_eq!(world.start(), None);
    let state = world.state();
    assert_eq!((state.good, state.newest, state.bad.len()), (None, Some(VERSION), 0));
}

#[test]
fn packages_containers_and_agents_without_keys_are_left_alone() {
    for change in [
        |settings: &mut Settings| settings.install = Install::Package,
        |settings: &mut Settings| settings.install = Install::Container,
        |settings: &mut Settings| settings.keys.clear(),
        |settings: &mut Settings| settings.version = None,
    ] {
        let mut world = World::new(signed(VERSION, FAILS));
        change(&mut world.settings);
        let before = world.state();
        assert_eq!((world.start(), world.state()), (None, before));
    }
}

#[test]
fn a_start_that_cannot_be_counted_tries_nothing() {
    let world = World::new(signed(VERSION, FAILS));
    // The name under which the state is written first is taken.
    fs::create_dir(world.directory.path().join("update.json.new")).unwrap();
    assert_eq!(world.start(), None);
    fs::remove_dir(world.directory.path().join("update.json.new")).unwrap();
    assert_eq!(world.start(), Some(7), "it is tried once it can be");
}

#[test]
fn a_chosen_program_chooses_no_other_and_is_what_it_was_signed_as() {
    let world = World::new(signed(VERSION, FAILS));
    let asked = Cell::new(false);
    let started = |variable, version| {
        let settings = Settings { version: Some(version), ..world.settings.clone() };
        start(&settings, Some(variable), |_, _| {
            asked.set(true);
            io::ErrorKind::Other.into()
        })
    };
    assert_eq!(started("trial 0.2.0", VERSION), Ok(()));
    assert_eq!(started("good 0.2.0", VERSION), Ok(()));
    let wrong = started("trial 0.3.0", VERSION).unwrap_err().to_string();
    assert!(wrong.contains("0.3.0") && wrong.contains("0.2.0"), "{wrong}");
    assert!(started("0.2.0", VERSION).is_err());
    assert!(!asked.get());
    assert_eq!([Some("trial 0.2.0"), Some("good 0.2.0"), None].map(is_trial), [true, false, false]);
}
