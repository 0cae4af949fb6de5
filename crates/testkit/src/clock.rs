//! A clock that stands still until it is told to move.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::Duration;

use netwatch_model::Timestamp;

/// Wall and monotonic time for tests; clones share the same time.
#[derive(Clone, Debug)]
pub struct FakeClock {
    wall: Arc<AtomicI64>,
    monotonic: Arc<AtomicU64>,
}

impl FakeClock {
    /// A clock whose wall time is `start` and whose monotonic time is zero.
    #[must_use]
    pub fn new(start: Timestamp) -> Self {
        Self { wall: Arc::new(AtomicI64::new(start.nanos())), monotonic: Arc::default() }
    }

    /// The wall time.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        Timestamp::from_nanos(self.wall.load(Ordering::SeqCst))
    }

    /// Time since the clock was made; a step of the wall clock does not change it.
    #[must_use]
    pub fn monotonic(&self) -> Duration {
        Duration::from_nanos(self.monotonic.load(Ordering::SeqCst))
    }

    /// Lets time pass.
    pub fn advance(&self, by: Duration) {
        let nanos = u64::try_from(by.as_nanos()).unwrap_or(u64::MAX);
        self.monotonic.fetch_add(nanos, Ordering::SeqCst);
        self.step(i64::try_from(nanos).unwrap_or(i64::MAX));
    }

    /// Steps the wall clock alone, as somebody who sets it does; negative is back. In nanoseconds.
    pub fn step(&self, nanos: i64) {
        self.wall.fetch_add(nanos, Ordering::SeqCst);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_leaves_monotonic_time_alone() {
        let clock = FakeClock::new(Timestamp::from_secs(100));
        let same = clock.clone();
        same.advance(Duration::from_secs(2));
        clock.step(-5_000_000_000);
        assert_eq!(clock.now(), Timestamp::from_secs(97));
        assert_eq!(clock.monotonic(), Duration::from_secs(2));
    }
}
