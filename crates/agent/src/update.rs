//! Self-update: a newer program, signed by somebody whom the owner of this host trusts, takes the place of the installed one.
//!
//! Why: a fleet of agents is kept up to date from one folder on the server, and whoever holds the server still cannot run a program of
//! theirs on any host. The keys come from the agent's own command line, never from the server.
//!
//! | part | does |
//! |---|---|
//! | `state` | the rules: what is taken, tried, good or bad; a value |
//! | `signature` | keys, signatures, and for which file they are |
//! | `files` | state and programs in the data directory |
//! | `start` | the choice at the very start, when the installed program runs another in its place |
//! | `fetch` | from the connection to the disk |
//! | `running` | offers, trials and their time, while the agent runs |
//! | [`Updates`] | joins them to the session |
//!
//! A version on trial has [`TRIAL`] to reach the server, and three starts. Whether it was to blame the older program finds out, which has
//! as long: see `state`. The time of a trial is counted in steps of a minute at most, so that a host that slept loses none of it.
//!
//! Limits: one offer, one candidate, one fetch at a time. A fetch begins within a minute by chance, so that agents do not all fetch at once; one
//! that failed is counted, and tried again after an hour or with the next session.

mod fetch;
mod files;
mod running;
mod signature;
mod start;
mod state;
mod version;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use netwatch_api::agent::v1;
use netwatch_telemetry::clock::ClockSource;

pub(crate) use fetch::{FetchError, Fetcher};
use files::Files;
pub use files::ProgramError;
use running::Known;
pub use signature::{Key, MOST_KEYS, ParseKeyError, SignatureError};
pub use start::{RELEASE, Settings, WrongVersion, is_trial, start};
pub use state::{Candidate, MOST_BAD, MOST_BYTES, MOST_STARTS, Refusal, Release, State};
pub use version::{ParseVersionError, Version};

use crate::identity::{FileError, Home};
use crate::session::Collectors;

/// How long a version may take to be welcomed by the server.
pub const TRIAL: Duration = Duration::from_mins(10);

/// What self-update has kept in a data directory.
///
/// # Errors
/// When it cannot be read or is damaged.
pub fn kept(home: &Home) -> Result<State, FileError> {
    Files::new(home).look()
}

/// Self-update of a running agent. Clones share it.
#[derive(Clone, Debug)]
pub struct Updates(Arc<Mutex<Known>>);

impl Updates {
    /// Takes up what an earlier run kept, and removes what is not needed. Blocks.
    #[must_use]
    pub fn new(settings: Settings, collectors: Collectors) -> Self {
        Self(Arc::new(Mutex::new(Known::new(settings, collectors))))
    }

    /// The server has welcomed this agent.
    pub(crate) fn welcomed(&self) {
        self.known().welcomed();
    }

    /// The server offers a program; `chance` lies in 0..1.
    pub(crate) fn offered(&self, update: &v1::Update, now: Duration, chance: f64) {
        self.known().offered(update, now, chance);
    }

    /// What is to be fetched now, and by whom. The answer is brought back with [`Updates::fetched`].
    pub(crate) fn due(&self, now: Duration) -> Option<(Release, Fetcher)> {
        self.known().due(now)
    }

    /// How a fetch ended; whether the agent is to end, so that it is started anew as that version.
    pub(crate) fn fetched(&self, release: Release, outcome: Result<(), FetchError>, now: Duration) -> Option<Version> {
        self.known().fetched(release, outcome, now)
    }

    /// The agent was asked to end.
    pub(crate) fn stopped(&self) {
        self.known().stopped();
    }

    /// Ends when this version has not reached the server in time and somebody will start the older one.
    pub(crate) async fn overdue(&self, clock: &dyn ClockSource, tick: Duration) -> Version {
        loop {
            if let Some(version) = self.known().look(clock.monotonic()) {
                return version;
            }
            tokio::time::sleep(tick).await;
        }
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
#[path = "../tests/session/signer.rs"]
mod signer;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;
