//! When the next snapshot is due, and taking it in.
//!
//! A program may open a socket, ask and be gone within a second: who owned it can be seen only while it is there. So a snapshot is due at
//! once when a new flow of this machine has no known owner, as long as there is credit; otherwise once in [`MIN_INTERVAL`]. Credit is
//! time spent on snapshots: it grows by a hundredth of the time that passes, up to [`BURST`], so that over a while snapshots cost less
//! than a hundredth of a core however many flows begin.

use std::sync::Arc;
use std::time::Duration;

use super::{LookupError, OwnerLookup, ProcessTable, Snapshot};

/// At most one snapshot in this time for flows that are not new, and when there is no credit.
pub const MIN_INTERVAL: Duration = Duration::from_secs(1);

/// At most one snapshot in this time for new flows.
pub const MIN_GAP: Duration = Duration::from_millis(20);

/// However long a snapshot takes, the next one is due after this time.
pub const MAX_INTERVAL: Duration = Duration::from_secs(60);

/// The time that snapshots may take in a row before they must wait.
pub const BURST: Duration = Duration::from_millis(100);

/// The time between snapshots is at least this many times what they take: under one per cent of a core.
const COST_FACTOR: u32 = 100;

/// How urgently a snapshot is wanted.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default)]
pub enum Wanted {
    /// No flow's owner is missing.
    #[default]
    No,
    /// A flow's owner is missing.
    Soon,
    /// A flow has just begun, and its owner is missing.
    Now,
}

/// Keeps a [`ProcessTable`] up to date. Times are those of the monotonic clock.
#[derive(Debug)]
pub struct Attributor {
    table: Arc<ProcessTable>,
    /// When the last snapshot was taken; nothing before the first.
    last: Option<Duration>,
    cost: Duration,
    /// As it was after the last snapshot.
    credit: Duration,
}

impl Attributor {
    /// The first snapshot is due at once.
    #[must_use]
    pub const fn new(table: Arc<ProcessTable>) -> Self {
        Self { table, last: None, cost: Duration::ZERO, credit: BURST }
    }

    /// Whether a snapshot should be taken now.
    #[must_use]
    pub fn is_due(&self, now: Duration) -> bool {
        self.wait(now, self.table.wanted()).is_zero()
    }

    /// How long a snapshot that is wanted so must wait at `now`; for ever when none is.
    #[must_use]
    pub fn wait(&self, now: Duration, wanted: Wanted) -> Duration {
        let Some(last) = self.last else { return Duration::ZERO };
        let by_cost = self.cost.saturating_mul(COST_FACTOR).clamp(MIN_INTERVAL, MAX_INTERVAL);
        let gap = match wanted {
            Wanted::No => return Duration::MAX,
            Wanted::Now if self.credit_at(now) >= self.cost => MIN_GAP,
            Wanted::Now | Wanted::Soon => by_cost,
        };
        last.saturating_add(gap).saturating_sub(now)
    }

    /// Takes in a snapshot, or that there was none, which was begun at `begun` and ended at `now`.
    pub fn took(&mut self, begun: Duration, now: Duration, snapshot: Option<&Snapshot>) {
        if let Some(snapshot) = snapshot {
            self.table.update(now, snapshot);
        }
        self.cost = now.saturating_sub(begun);
        self.credit = self.credit_at(now).saturating_sub(self.cost);
        self.last = Some(now);
    }

    /// If a snapshot is due, asks for it and takes it in. `clock` gives the time now.
    ///
    /// # Errors
    /// What the lookup says. The next attempt is due as after a snapshot.
    pub fn run(&mut self, clock: impl Fn() -> Duration, lookup: &mut dyn OwnerLookup) -> Result<bool, LookupError> {
        let begun = clock();
        if !self.is_due(begun) {
            return Ok(false);
        }
        // What is asked for from here on may not be in this snapshot.
        self.table.take_wanted();
        let outcome = lookup.snapshot();
        if outcome.is_err() {
            self.table.want(Wanted::Soon);
        }
        self.took(begun, clock(), outcome.as_ref().ok());
        outcome.map(|_| true)
    }

    fn credit_at(&self, now: Duration) -> Duration {
        let earned = now.saturating_sub(self.last.unwrap_or(now)) / COST_FACTOR;
        self.credit.saturating_add(earned).min(BURST)
    }
}
