//! How many messages a client may send: a bucket of them, refilled evenly.

use std::time::Duration;

/// Messages at once.
const BURST: u32 = 100;
/// One more each.
const REFILL: Duration = Duration::from_millis(50);

/// The bucket of one client.
pub(super) struct Pace {
    /// When the bucket will be full again.
    full_at: Duration,
}

impl Pace {
    pub(super) const fn new(now: Duration) -> Self {
        Self { full_at: now }
    }

    /// Whether one more message is in order now; counts it.
    pub(super) fn allows(&mut self, now: Duration) -> bool {
        self.full_at = self.full_at.max(now) + REFILL;
        self.full_at - now <= REFILL * BURST
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_then_twenty_a_second() {
        let mut pace = Pace::new(Duration::ZERO);
        assert!((0..BURST).all(|_| pace.allows(Duration::ZERO)));
        assert!(!pace.allows(Duration::ZERO));
        let mut pace = Pace::new(Duration::ZERO);
        assert!((0..10_000).all(|i| pace.allows(REFILL * i)));
    }
}
