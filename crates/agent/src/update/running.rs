//! Self-update while the agent runs: offers that are taken, fetches that are due, trials that end; each told with its time.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use netwatch_api::agent::v1;
use netwatch_model::Untrusted;
use netwatch_model::people::Digest;

use super::TRIAL;
use super::fetch::{FetchError, Fetcher};
use super::files::Files;
use super::signature::{Key, Sealed};
use super::start::Settings;
use super::state::{Release, State, Verdict};
use super::version::Version;
use crate::session::{Collectors, Install, chain};

/// The longest time between two looks that counts.
const STEP: Duration = Duration::from_mins(1);
/// When a fetch that failed is tried again.
const AGAIN: Duration = Duration::from_hours(1);
/// Within which time after an offer chance lets the fetch begin.
const SPREAD: Duration = Duration::from_mins(1);

/// What is known.
#[derive(Debug)]
pub(super) struct Known {
    files: Files,
    keys: Arc<[Key]>,
    version: Option<Version>,
    install: Install,
    supervised: bool,
    state: State,
    /// What is left of a trial, and when that was last looked at.
    left: Duration,
    looked: Option<Duration>,
    offer: Option<Offer>,
    /// Fetches that failed since the start, and why the last one did; or why an offer is refused.
    failures: u64,
    fault: Option<String>,
    /// The version of which the log tells already.
    told: Option<Version>,
    turn: Arc<Mutex<()>>,
    collectors: Collectors,
}

/// An offer that is taken.
#[derive(Debug)]
struct Offer {
    release: Release,
    /// When it is fetched; none while it is.
    at: Option<Duration>,
}

impl Known {
    /// Takes up what an earlier run kept. Blocks.
    pub(super) fn new(settings: Settings, collectors: Collectors) -> Self {
        let Settings { home, version, keys, install, supervised } = settings;
        let files = Files::new(&home);
        let mut known = Self {
            files,
            keys: keys.into(),
            version,
            install,
            supervised,
            state: State::default(),
            left: TRIAL,
            looked: None,
            offer: None,
            failures: 0,
            fault: None,
            told: None,
            turn: Arc::default(),
            collectors,
        };
        match known.files.load() {
            Ok(state) => {
                known.state = state;
                known.files.tidy(&known.state);
            }
            Err(error) => {
                // Nobody knows what ran here: nothing is taken.
                known.version = None;
                known.fault = Some(chain(&error));
            }
        }
        known.tell();
        known
    }

    pub(super) fn welcomed(&mut self) {
        // It has come so far: nothing need end it.
        crate::os::end_after(0);
        let Some(version) = self.version else { return };
        // A fetch of an earlier session ended with it.
        (self.offer, self.fault) = (None, None);
        let before = self.state.clone();
        match self.state.welcomed(version) {
            Some(Verdict::Good(version)) => tracing::info!(%version, "this version reached the server: it is kept"),
            Some(Verdict::Bad(version)) => {
                tracing::error!(%version, "that version did not reach the server, and the one before does: it is not taken again");
            }
            _ => {}
        }
        self.keep(&before);
    }

    pub(super) fn look(&mut self, now: Duration) -> Option<Version> {
        let version = self.version.filter(|version| self.state.is_open(*version))?;
        let passed = self.looked.replace(now).map_or(Duration::ZERO, |looked| now.saturating_sub(looked).min(STEP));
        let was_over = self.left.is_zero();
        self.left = self.left.saturating_sub(passed);
        if was_over || !self.left.is_zero() {
            return None;
        }
        let before = self.state.clone();
        let verdict = self.state.overdue(version);
        self.keep(&before);
        match verdict {
            Some(Verdict::Unwelcome(version)) => {
                let goes_on = !self.supervised;
                tracing::error!(%version, goes_on, "this version has not reached the server within ten minutes: the next start runs the one before");
                Some(version).filter(|_| !goes_on)
            }
            Some(Verdict::Cleared(version)) => {
                tracing::warn!(%version, "the server is away, which is not the fault of that version: it is tried again once it is offered");
                None
            }
            _ => None,
        }
    }

    pub(super) fn offered(&mut self, update: &v1::Update, now: Duration, chance: f64) {
        let (shown, running) = (Untrusted::new(&update.version), self.version);
        let Some(release) = release(update) else {
            tracing::warn!(version = %shown, "the server offers a program in a way that cannot be read: it is not taken");
            return;
        };
        let is_news = self.told.replace(release.version) != Some(release.version);
        let (Some(running), Install::Plain) = (running, self.install) else {
            if is_news {
                tracing::info!(version = %shown, "the server offers another version: update this agent by the way in which it was installed");
            }
            return;
        };
        if self.state.next(running) == Some(release.version) {
            return;
        }
        let taken = if self.keys.is_empty() {
            let text = "the server offers it, and nothing says whose signature counts: start the agent with --update-key KEY, or update it by hand";
            Err(text.to_owned())
        } else {
            let refusal = self.state.takes(&release, running).map_err(|refusal| refusal.to_string());
            refusal.and_then(|()| Sealed::new(&release, &self.keys).map(|_| ()).map_err(|error| error.to_string()))
        };
        self.fault = taken.err().map(|why| format!("{}: {why}", release.version));
        if let Some(why) = self.fault.as_deref().filter(|_| is_news) {
            tracing::warn!(why, "the server offers a program that is not taken");
        }
        if self.fault.is_none() {
            self.offer = Some(Offer { release, at: Some(now + SPREAD.mul_f64(chance.clamp(0.0, 1.0))) });
        }
        self.tell();
    }

    pub(super) fn due(&mut self, now: Duration) -> Option<(Release, Fetcher)> {
        let offer = self.offer.as_mut()?;
        offer.at.take_if(|at| now >= *at)?;
        let release = offer.release.clone();
        tracing::info!(version = %release.version, bytes = release.bytes, "a newer program is fetched");
        self.tell();
        let Self { files, keys, turn, .. } = self;
        Some((release, Fetcher { files: files.clone(), keys: Arc::clone(keys), turn: Arc::clone(turn) }))
    }

    pub(super) fn fetched(
        &mut self,
        release: Release,
        outcome: Result<(), FetchError>,
        now: Duration,
    ) -> Option<Version> {
        let version = release.version;
        let outcome = outcome.map_err(|error| chain(&error)).and_then(|()| {
            let before = self.state.clone();
            self.state.fetched(release);
            // What nobody remembers is not tried.
            self.save().inspect_err(|_| self.state = before)
        });
        self.files.tidy(&self.state);
        match &outcome {
            Ok(()) => {
                self.offer = None;
                self.fault = None;
                let supervised = self.supervised;
                tracing::info!(%version, supervised, "a newer program is verified: it runs with the next start of the agent");
            }
            Err(why) => {
                self.failures += 1;
                let failures = self.failures;
                self.fault = Some(format!("{version} could not be fetched ({failures} times since the start): {why}"));
                if let Some(offer) = &mut self.offer {
                    offer.at = Some(now + AGAIN);
                }
                tracing::warn!(%version, why, failures, "a newer program could not be fetched: it is tried again within an hour");
            }
        }
        self.tell();
        Some(version).filter(|_| outcome.is_ok() && self.supervised)
    }

    pub(super) fn stopped(&mut self) {
        let Some(version) = self.version else { return };
        let before = self.state.clone();
        self.state.stopped(version);
        self.keep(&before);
    }

    /// Keeps what has changed, and removes programs that nobody needs any more.
    fn keep(&mut self, before: &State) {
        if self.state != *before {
            match self.save() {
                Ok(()) => self.files.tidy(&self.state),
                Err(why) => tracing::error!(why, "what is known of newer programs cannot be kept"),
            }
        }
        self.tell();
    }

    fn save(&self) -> Result<(), String> {
        self.files.save(&self.state).map_err(|error| chain(&error))
    }

    /// Has the server see how it stands.
    fn tell(&self) {
        self.collectors.update((self.install == Install::Plain).then(|| self.standing()).flatten());
    }

    fn standing(&self) -> Option<(v1::State, String)> {
        if let Some(fault) = &self.fault {
            return Some((v1::State::Degraded, fault.clone()));
        }
        let running = self.version.filter(|_| !self.keys.is_empty())?;
        if let Some(Offer { release, at }) = &self.offer {
            let word = if at.is_some() { "will be fetched" } else { "is being fetched" };
            return Some((v1::State::Running, format!("{} {word}", release.version)));
        }
        if let Some(next) = self.state.next(running) {
            return Some((
                v1::State::Running,
                format!("{next} is verified, and runs with the next start of the agent"),
            ));
        }
        match self.state.bad.last().filter(|bad| **bad > running) {
            Some(bad) => {
                let text = format!("{bad} did not reach the server, and {running} does: offer a newer version");
                Some((v1::State::Degraded, text))
            }
            None => Some((v1::State::Running, String::new())),
        }
    }
}

/// What the server offers, if it can be read.
fn release(update: &v1::Update) -> Option<Release> {
    let digest = <[u8; 32]>::try_from(&*update.digest).ok()?;
    let v1::Update { version, bytes, signature, .. } = update;
    Some(Release {
        version: version.parse().ok()?,
        bytes: *bytes,
        digest: Digest::from_bytes(digest),
        signature: signature.clone(),
    })
}
