//! When the next snapshot is due, and taking it in.

use std::sync::Arc;
use std::time::Duration;

use super::{LookupError, OwnerLookup, ProcessTable, Snapshot};

/// At most one snapshot in this time.
pub const MIN_INTERVAL: Duration = Duration::from_secs(1);

/// However long a snapshot takes, the next one is due after this time.
pub const MAX_INTERVAL: Duration = Duration::from_secs(60);

/// The time between snapshots is at least this many times what one takes: under one per cent of a core.
const COST_FACTOR: u32 = 100;

/// Keeps a [`ProcessTable`] up to date. Times are those of the monotonic clock.
#[derive(Debug)]
pub struct Attributor {
    table: Arc<ProcessTable>,
    next: Duration,
    interval: Duration,
}

impl Attributor {
    /// The first snapshot is due at once.
    #[must_use]
    pub const fn new(table: Arc<ProcessTable>) -> Self {
        Self { table, next: Duration::ZERO, interval: MIN_INTERVAL }
    }

    /// Whether a snapshot should be taken now: some flow's owner is missing, and the last one was long enough ago.
    #[must_use]
    pub fn is_due(&self, now: Duration) -> bool {
        now >= self.next && self.table.is_wanted()
    }

    /// Takes in a snapshot, or that there was none, which was begun at `begun` and ended at `now`.
    pub fn took(&mut self, begun: Duration, now: Duration, snapshot: Option<&Snapshot>) {
        if let Some(snapshot) = snapshot {
            self.table.update(now, snapshot);
        }
        self.interval = now.saturating_sub(begun).saturating_mul(COST_FACTOR).clamp(MIN_INTERVAL, MAX_INTERVAL);
        self.next = now.saturating_add(self.interval);
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
        let outcome = lookup.snapshot();
        self.took(begun, clock(), outcome.as_ref().ok());
        outcome.map(|_| true)
    }

    /// The time from the end of the last snapshot to when the next may be due.
    #[must_use]
    pub const fn interval(&self) -> Duration {
        self.interval
    }
}
