//! The rules of self-update, and what they remember: a value that is told what happened and says which program runs.
//!
//! ```text
//!  offer ─takes─► (fetched, verified) ─► candidate ─start, 3 at most─► welcomed ─► good
//!                                          │ 3 starts, or 10 minutes without a welcome
//!                                          ▼
//!                                       suspect: the older program runs
//!                                          ├─ is welcomed within 10 minutes ─► bad, for ever
//!                                          └─ is not: the server was away ──► forgotten, and taken again when it is offered
//! ```
//!
//! The **older program** is the last good one, or the one that was installed, whichever is newer; the installed one always is there.
//! Nothing older than what was ever good is taken. No clock, no disk: [`super::Updates`] has both.
//!
//! Limits: one candidate; [`MOST_BAD`] versions that are bad and newer than the newest good one, after which no update is taken.

use std::collections::BTreeSet;

use netwatch_model::people::Digest;
use serde::{Deserialize, Serialize};

use super::version::Version;

/// Starts of a candidate that the server does not welcome.
pub const MOST_STARTS: u8 = 3;
/// Bad versions in a row.
pub const MOST_BAD: usize = 32;
/// The largest program, octets.
pub const MOST_BYTES: u64 = 256 << 20;

/// A program that was offered.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Release {
    /// Its version.
    pub version: Version,
    /// Its length, octets.
    pub bytes: u64,
    /// Its SHA-256.
    pub digest: Digest,
    /// Its signature, as minisign writes it.
    pub signature: String,
}

/// A verified program that the server has not welcomed yet.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Candidate {
    /// The program.
    pub release: Release,
    /// How often it was started.
    pub starts: u8,
    /// It did not reach the server. Whether that was its fault the older program finds out.
    pub suspect: bool,
}

/// What is remembered over restarts.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct State {
    /// The newest version that the server ever welcomed here.
    pub newest: Option<Version>,
    /// The program that runs instead of the installed one.
    pub good: Option<Release>,
    /// The program that is to run next.
    pub candidate: Option<Candidate>,
    /// Versions that did not reach a server which the older one reached.
    pub bad: BTreeSet<Version>,
}

/// Which program runs.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Choice {
    /// The one that was installed.
    Installed,
    /// One that was good.
    Good(Release),
    /// One on trial; this start counts.
    Trial(Release),
}

/// Why an offer is not taken.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Refusal {
    /// It is no progress.
    #[error("it is not newer than {0}, which runs or ran here")]
    Old(Version),
    /// It failed.
    #[error("it did not reach the server before: offer a newer version")]
    Bad,
    /// Too many failed.
    #[error("{MOST_BAD} versions in a row did not reach the server: install the next one by hand")]
    TooManyBad,
    /// It is empty or too large.
    #[error("{0} octets are no program: at most 256 MiB are taken")]
    Length(u64),
}

/// What a welcome or the end of a trial decided.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Verdict {
    /// The running version is good.
    Good(Version),
    /// That version is bad.
    Bad(Version),
    /// The running version has not reached the server in time.
    Unwelcome(Version),
    /// Nobody reached the server: that version is not to blame.
    Cleared(Version),
}

impl State {
    /// Which program this start of the installed one runs. The caller keeps the state before a trial begins.
    pub fn start(&mut self, installed: Version) -> Choice {
        // Somebody installed what is at least as new, or something newer ran since.
        let newest = self.newest;
        let is_old = |version| version <= installed || newest.is_some_and(|newest| version < newest);
        self.good.take_if(|good| is_old(good.version));
        self.candidate.take_if(|candidate| is_old(candidate.release.version));
        if let Some(candidate) = self.candidate.as_mut().filter(|candidate| !candidate.suspect) {
            if candidate.starts < MOST_STARTS {
                candidate.starts += 1;
                return Choice::Trial(candidate.release.clone());
            }
            candidate.suspect = true;
        }
        self.older()
    }

    /// The program to go back to.
    #[must_use]
    pub fn older(&self) -> Choice {
        self.good.clone().map_or(Choice::Installed, Choice::Good)
    }

    /// A chosen program cannot be run. One on trial is bad; one that was good has a damaged file, and may be fetched again.
    pub fn unusable(&mut self, version: Version) {
        if self.candidate.take_if(|candidate| candidate.release.version == version).is_some() {
            self.condemn(version);
        }
        self.good.take_if(|good| good.version == version);
    }

    /// Whether an offer is taken by the version that runs.
    ///
    /// # Errors
    /// Why it is not.
    pub fn takes(&self, release: &Release, running: Version) -> Result<(), Refusal> {
        let version = release.version;
        if version <= running {
            return Err(Refusal::Old(running));
        }
        // The same version again is no step back: its file may have been damaged.
        if let Some(newest) = self.newest.filter(|newest| version < *newest) {
            return Err(Refusal::Old(newest));
        }
        if self.bad.contains(&version) {
            return Err(Refusal::Bad);
        }
        if self.bad.len() >= MOST_BAD {
            return Err(Refusal::TooManyBad);
        }
        if release.bytes == 0 || release.bytes > MOST_BYTES {
            return Err(Refusal::Length(release.bytes));
        }
        Ok(())
    }

    /// An offer was taken, and its program is on the disk and verified.
    pub fn fetched(&mut self, release: Release) {
        self.candidate = Some(Candidate { release, starts: 0, suspect: false });
    }

    /// The server welcomed the version that runs.
    pub fn welcomed(&mut self, running: Version) -> Option<Verdict> {
        self.newest = self.newest.max(Some(running));
        if let Some(candidate) = self.candidate.take_if(|candidate| candidate.release.version == running) {
            self.good = Some(candidate.release);
            self.bad.retain(|bad| *bad > running);
            return Some(Verdict::Good(running));
        }
        let suspect = self.candidate.take_if(|candidate| candidate.suspect)?;
        self.condemn(suspect.release.version);
        Some(Verdict::Bad(suspect.release.version))
    }

    /// The version that runs has not been welcomed in time.
    pub fn overdue(&mut self, running: Version) -> Option<Verdict> {
        if let Some(candidate) = self.candidate.as_mut().filter(|candidate| candidate.release.version == running) {
            candidate.suspect = true;
            return Some(Verdict::Unwelcome(running));
        }
        let cleared = self.candidate.take_if(|candidate| candidate.suspect)?;
        Some(Verdict::Cleared(cleared.release.version))
    }

    /// The version that runs was asked to end before anything was decided: that start is not held against it.
    pub fn stopped(&mut self, running: Version) {
        if let Some(candidate) = self.candidate.as_mut().filter(|candidate| candidate.release.version == running) {
            candidate.starts = candidate.starts.saturating_sub(1);
        }
    }

    /// Whether a welcome, or ten minutes without one, decides something for the version that runs.
    #[must_use]
    pub fn is_open(&self, running: Version) -> bool {
        self.candidate.as_ref().is_some_and(|candidate| candidate.suspect || candidate.release.version == running)
    }

    /// Whether the next start of the installed program runs another version than this one.
    #[must_use]
    pub fn next(&self, running: Version) -> Option<Version> {
        let candidate = self.candidate.as_ref().filter(|candidate| !candidate.suspect)?;
        Some(candidate.release.version).filter(|version| *version != running)
    }

    /// Programs whose files are kept.
    pub fn kept(&self) -> impl Iterator<Item = Version> {
        let candidate = self.candidate.iter().map(|candidate| candidate.release.version);
        self.good.iter().map(|good| good.version).chain(candidate)
    }

    fn condemn(&mut self, version: Version) {
        self.bad.insert(version);
        let newest = self.newest;
        // What is older than a good one is refused for that alone.
        self.bad.retain(|bad| newest.is_none_or(|newest| *bad >= newest));
    }
}

#[cfg(test)]
mod tests;
