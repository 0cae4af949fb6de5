//! What works and what does not: the truth behind `/readyz`, the overview and `netwatch doctor`.
//!
//! Why: "is it up?" needs one answer that names the culprit. What: parts register a [`Component`] each and set its state;
//! [`Health::report`] lists all and says whether Netwatch is ready. Limits: [`MAX_COMPONENTS`] components, reasons of at most
//! [`MAX_REASON_BYTES`] bytes; longer ones are cut.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use netwatch_model::Timestamp;

/// The most components.
pub const MAX_COMPONENTS: usize = 32;
/// The longest reason.
pub const MAX_REASON_BYTES: usize = 512;

/// How a component is.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum State {
    /// Has not said anything yet.
    Starting,
    /// Works.
    Ok,
    /// Works in part: why, and what to do.
    Degraded(String),
    /// Does not work: why, and what to do.
    Failed(String),
}

/// Whether Netwatch can do its work without a component.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Importance {
    /// Netwatch is not ready before this works.
    Required,
    /// The rest is of use without it.
    Optional,
}

/// There is no place for another component.
#[derive(Debug, thiserror::Error)]
#[error("`{name}` cannot be watched: there are {MAX_COMPONENTS} components already")]
pub struct TooManyComponents {
    name: &'static str,
}

/// All components. Clones share them.
#[derive(Clone, Debug, Default)]
pub struct Health(Arc<Mutex<BTreeMap<&'static str, Entry>>>);

/// Sets the state of one component.
#[derive(Clone, Debug)]
pub struct Component {
    name: &'static str,
    health: Health,
}

/// One component at one moment.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ComponentReport {
    /// Its name, unique.
    pub name: &'static str,
    /// Whether readiness depends on it.
    pub importance: Importance,
    /// How it is.
    pub state: State,
    /// Since when.
    pub since: Timestamp,
}

/// Everything at one moment.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct HealthReport {
    /// By name.
    pub components: Vec<ComponentReport>,
}

#[derive(Clone, Debug)]
struct Entry {
    importance: Importance,
    state: State,
    since: Timestamp,
}

impl Health {
    /// No component yet, so: ready.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Watches `name` from `now` on, in [`State::Starting`]. Registering a name again starts it anew.
    ///
    /// # Errors
    /// There are [`MAX_COMPONENTS`] already.
    pub fn component(
        &self,
        name: &'static str,
        importance: Importance,
        now: Timestamp,
    ) -> Result<Component, TooManyComponents> {
        let mut entries = self.lock();
        if entries.len() >= MAX_COMPONENTS && !entries.contains_key(name) {
            return Err(TooManyComponents { name });
        }
        entries.insert(name, Entry { importance, state: State::Starting, since: now });
        Ok(Component { name, health: self.clone() })
    }

    /// How everything is.
    #[must_use]
    pub fn report(&self) -> HealthReport {
        let report = |(name, entry): (&&'static str, &Entry)| ComponentReport {
            name,
            importance: entry.importance,
            state: entry.state.clone(),
            since: entry.since,
        };
        HealthReport { components: self.lock().iter().map(report).collect() }
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<&'static str, Entry>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Component {
    /// It is so since `now`, unless it was so before.
    pub fn set(&self, state: State, now: Timestamp) {
        let state = state.bounded();
        if let Some(entry) = self.health.lock().get_mut(self.name)
            && entry.state != state
        {
            entry.state = state;
            entry.since = now;
        }
    }
}

impl State {
    /// The reason, when there is one.
    #[must_use]
    pub fn reason(&self) -> Option<&str> {
        match self {
            Self::Starting | Self::Ok => None,
            Self::Degraded(reason) | Self::Failed(reason) => Some(reason),
        }
    }

    /// The state in one word: `starting`, `ok`, `degraded` or `failed`.
    #[must_use]
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Starting => "starting",
            Self::Ok => "ok",
            Self::Degraded(_) => "degraded",
            Self::Failed(_) => "failed",
        }
    }

    fn bounded(mut self) -> Self {
        if let Self::Degraded(reason) | Self::Failed(reason) = &mut self
            && reason.len() > MAX_REASON_BYTES
        {
            let fits = (0..=MAX_REASON_BYTES).rev().find(|end| reason.is_char_boundary(*end));
            reason.truncate(fits.unwrap_or(0));
        }
        self
    }
}

impl HealthReport {
    /// Whether every required component works, at least in part.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        self.in_the_way().next().is_none()
    }

    /// The required components that are starting or have failed.
    pub fn in_the_way(&self) -> impl Iterator<Item = &ComponentReport> {
        self.components.iter().filter(|component| {
            component.importance == Importance::Required
                && matches!(component.state, State::Starting | State::Failed(_))
        })
    }

    /// The worst state of all, as a word; `ok` when there is no component.
    #[must_use]
    pub fn worst(&self) -> &'static str {
        let rank = |state: &State| match state {
            State::Ok => 0,
            State::Starting => 1,
            State::Degraded(_) => 2,
            State::Failed(_) => 3,
        };
        self.components.iter().map(|c| &c.state).max_by_key(|s| rank(s)).map_or("ok", State::word)
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())?;
        self.reason().map_or(Ok(()), |reason| write!(f, ": {reason}"))
    }
}

#[cfg(test)]
mod tests;
