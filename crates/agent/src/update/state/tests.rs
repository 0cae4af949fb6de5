//! Cases, and a model: no sequence of offers, starts, welcomes and failures leads to a program that may not run.

use proptest::prelude::*;

use super::*;

const INSTALLED: Version = Version::new(0, 1, 0);

fn release(minor: u32) -> Release {
    let version = Version::new(0, minor, 0);
    Release { version, bytes: 1, digest: Digest::default(), signature: String::new() }
}

fn offer(state: &mut State, minor: u32, running: Version) -> Result<(), Refusal> {
    state.takes(&release(minor), running).map(|()| state.fetched(release(minor)))
}

#[test]
fn a_version_that_is_welcomed_is_good_and_stays() {
    let mut state = State::default();
    assert_eq!(state.start(INSTALLED), Choice::Installed);
    offer(&mut state, 2, INSTALLED).unwrap();
    assert_eq!(state.next(INSTALLED), Some(release(2).version));
    assert_eq!(state.start(INSTALLED), Choice::Trial(release(2)));
    assert_eq!(state.welcomed(release(2).version), Some(Verdict::Good(release(2).version)));
    assert_eq!((state.start(INSTALLED), state.next(release(2).version)), (Choice::Good(release(2)), None));
    assert_eq!(offer(&mut state, 2, release(2).version), Err(Refusal::Old(release(2).version)));
    assert_eq!(offer(&mut state, 1, INSTALLED), Err(Refusal::Old(INSTALLED)));
    assert_eq!(state.start(release(3).version), Choice::Installed, "somebody installed a newer one");
    assert_eq!(state.kept().count(), 0);
}

#[test]
fn a_version_that_crashes_is_given_up_after_three_starts_and_is_bad_once_the_older_one_is_welcomed() {
    let mut state = State::default();
    offer(&mut state, 2, INSTALLED).unwrap();
    state.start(INSTALLED);
    state.welcomed(release(2).version);
    offer(&mut state, 3, release(2).version).unwrap();
    for _ in 0..MOST_STARTS {
        assert_eq!(state.start(INSTALLED), Choice::Trial(release(3)));
    }
    for _ in 0..2 {
        assert_eq!(state.start(INSTALLED), Choice::Good(release(2)), "the last good one, until something is known");
    }
    assert_eq!(state.welcomed(release(2).version), Some(Verdict::Bad(release(3).version)));
    assert_eq!(offer(&mut state, 3, release(2).version), Err(Refusal::Bad));
    assert_eq!(offer(&mut state, 4, release(2).version), Ok(()));
    state.start(INSTALLED);
    state.welcomed(release(4).version);
    assert!(state.bad.is_empty(), "what is older than a good one needs no note");
}

#[test]
fn a_version_is_not_to_blame_for_a_server_that_is_away() {
    let mut state = State::default();
    offer(&mut state, 2, INSTALLED).unwrap();
    assert_eq!(state.start(INSTALLED), Choice::Trial(release(2)));
    assert_eq!(state.overdue(release(2).version), Some(Verdict::Unwelcome(release(2).version)));
    assert_eq!(state.start(INSTALLED), Choice::Installed);
    assert_eq!(state.overdue(INSTALLED), Some(Verdict::Cleared(release(2).version)));
    assert_eq!(state.welcomed(INSTALLED), None);
    assert_eq!(offer(&mut state, 2, INSTALLED), Ok(()));
}

#[test]
fn a_start_that_somebody_ended_does_not_count() {
    let mut state = State::default();
    offer(&mut state, 2, INSTALLED).unwrap();
    for _ in 0..10 {
        assert_eq!(state.start(INSTALLED), Choice::Trial(release(2)));
        state.stopped(release(2).version);
    }
}

#[test]
fn what_cannot_be_run_is_bad_on_trial_and_fetched_again_when_it_was_good() {
    let mut state = State::default();
    offer(&mut state, 2, INSTALLED).unwrap();
    state.start(INSTALLED);
    state.unusable(release(2).version);
    assert_eq!(state.start(INSTALLED), Choice::Installed);
    assert_eq!(offer(&mut state, 2, INSTALLED), Err(Refusal::Bad));
    offer(&mut state, 3, INSTALLED).unwrap();
    state.start(INSTALLED);
    state.welcomed(release(3).version);
    state.unusable(release(3).version);
    assert_eq!(state.start(INSTALLED), Choice::Installed);
    assert_eq!(offer(&mut state, 2, INSTALLED), Err(Refusal::Old(release(3).version)), "no step back");
    assert_eq!(offer(&mut state, 3, INSTALLED), Ok(()));
}

#[test]
fn lengths_and_bad_versions_have_a_limit() {
    let mut state = State::default();
    for bytes in [0, MOST_BYTES + 1] {
        assert_eq!(state.takes(&Release { bytes, ..release(2) }, INSTALLED), Err(Refusal::Length(bytes)));
    }
    for minor in 2..2 + MOST_BAD as u32 {
        offer(&mut state, minor, INSTALLED).unwrap();
        state.unusable(release(minor).version);
    }
    assert_eq!(offer(&mut state, 100, INSTALLED), Err(Refusal::TooManyBad));
}

#[derive(Clone, Copy, Debug)]
enum Step {
    Offer(u32),
    Start { runs: bool },
    Welcome,
    Overdue,
    Stop,
    Install(u32),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => (1_u32..9).prop_map(Step::Offer),
        6 => prop::bool::weighted(0.9).prop_map(|runs| Step::Start { runs }),
        3 => Just(Step::Welcome),
        2 => Just(Step::Overdue),
        1 => Just(Step::Stop),
        1 => (1_u32..5).prop_map(Step::Install),
    ]
}

/// What must hold, kept apart from how the state does it.
#[derive(Default)]
struct Model {
    state: State,
    installed: Option<Version>,
    running: Option<Version>,
    /// Versions that were fetched, which is only done when they are signed.
    signed: BTreeSet<Version>,
    bad: BTreeSet<Version>,
    newest: Option<Version>,
    /// Trials since the last decision or stop.
    trials: u8,
}

impl Model {
    fn apply(&mut self, step: Step) {
        let installed = self.installed.unwrap_or(INSTALLED);
        // As on a disk.
        self.state = serde_json::from_slice(&serde_json::to_vec(&self.state).unwrap()).unwrap();
        match (step, self.running) {
            (Step::Offer(minor), Some(running)) => {
                if offer(&mut self.state, minor, running).is_ok() {
                    self.signed.insert(release(minor).version);
                    self.trials = 0;
                }
            }
            (Step::Start { runs }, _) => self.running = Some(self.start(installed, runs)),
            (Step::Welcome, Some(running)) => {
                self.newest = self.newest.max(Some(running));
                if let Some(Verdict::Bad(version)) = self.state.welcomed(running) {
                    assert_ne!(version, running, "what reached the server is not bad");
                    self.bad.insert(version);
                }
            }
            (Step::Overdue, Some(running)) => {
                let verdict = self.state.overdue(running);
                assert!(!matches!(verdict, Some(Verdict::Good(_) | Verdict::Bad(_))), "{verdict:?}");
            }
            (Step::Stop, Some(running)) => {
                self.state.stopped(running);
                (self.running, self.trials) = (None, 0);
            }
            (Step::Install(minor), _) => (self.installed, self.running) = (Some(release(minor).version), None),
            (_, None) => {}
        }
    }

    /// The version that runs in the end: there always is one.
    fn start(&mut self, installed: Version, runs: bool) -> Version {
        for _ in 0..3 {
            let choice = self.state.start(installed);
            let (Choice::Good(release) | Choice::Trial(release)) = &choice else { return installed };
            let version = release.version;
            assert!(self.signed.contains(&version), "{version} is not signed");
            assert!(!self.bad.contains(&version), "{version} is bad");
            assert!(version > installed && Some(version) >= self.newest, "{version} is old");
            if matches!(choice, Choice::Trial(_)) {
                self.trials += 1;
                assert!(self.trials <= MOST_STARTS, "{version} is tried again and again");
            }
            if runs {
                return version;
            }
            if matches!(choice, Choice::Trial(_)) {
                self.bad.insert(version);
            }
            self.state.unusable(version);
        }
        panic!("nothing runs");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn only_what_may_run_ever_runs(steps in prop::collection::vec(step(), 1..60)) {
        let mut model = Model::default();
        for step in steps {
            model.apply(step);
        }
    }

    #[test]
    fn without_a_welcome_the_older_program_comes_back(steps in prop::collection::vec(step(), 0..40)) {
        let mut model = Model::default();
        for step in steps {
            model.apply(step);
        }
        let mut state = model.state;
        let installed = model.installed.unwrap_or(INSTALLED);
        for _ in 0..MOST_STARTS {
            state.start(installed);
        }
        prop_assert!(!matches!(state.start(installed), Choice::Trial(_)));
    }
}
