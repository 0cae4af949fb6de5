//! When each packet of a batch left: an estimate, because one call of the kernel sends them all.

use std::time::Duration;

/// A packet may cost so many times what one usually costs; longer, and the thread was held up somewhere in the batch.
const FACTOR: u32 = 3;
/// How much of what is usual one batch changes.
const WEIGHT: u32 = 8;

/// When a packet left.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Departure {
    due: Duration,
    /// The best estimate.
    pub(crate) at: Duration,
}

impl Departure {
    /// A packet that was put into a batch at `at`, before which it cannot have left.
    pub(crate) const fn new(at: Duration) -> Self {
        Self { due: at, at }
    }

    /// How long an answer took that came at `at`. One that came before the estimate shows that to be wrong: then the packet left when it
    /// was due, for all that is known, and the round trip is rather too long than none at all.
    pub(crate) fn until(&self, at: Duration) -> Duration {
        at.checked_sub(self.at).filter(|took| !took.is_zero()).unwrap_or_else(|| at.saturating_sub(self.due))
    }
}

/// What a packet usually costs to send.
#[derive(Debug, Default)]
pub(crate) struct Pace {
    usual: Option<Duration>,
}

impl Pace {
    /// How far apart the packets of a batch left that took `took` in all.
    ///
    /// A thread that was held up in the middle cannot tell where: the packets behind are taken to have left earlier than they did, so that
    /// their round trips come out too long, as with any sender that is held up, and never too short.
    pub(crate) fn of_batch(&mut self, took: Duration, count: usize) -> Duration {
        let each = took / u32::try_from(count.max(1)).unwrap_or(u32::MAX);
        let usual = self.usual.unwrap_or(each);
        let each = each.min(usual * FACTOR);
        self.usual = Some((usual * (WEIGHT - 1) + each) / WEIGHT);
        each
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn micros(count: u64) -> Duration {
        Duration::from_micros(count)
    }

    #[test]
    fn an_answer_before_the_departure_shows_that_to_be_wrong() {
        let mut departure = Departure::new(micros(100));
        departure.at = micros(180);
        assert_eq!(departure.until(micros(200)), micros(20));
        assert_eq!(departure.until(micros(170)), micros(70));
        assert_eq!(departure.until(micros(180)), micros(80));
    }

    #[test]
    fn a_batch_that_was_held_up_is_as_fast_as_one_may_be() {
        let mut pace = Pace::default();
        assert_eq!(pace.of_batch(micros(64 * 5), 64), micros(5));
        assert_eq!(pace.of_batch(micros(4000), 2), micros(15));
        assert_eq!(pace.of_batch(micros(10), 2), micros(5));
        assert_eq!(pace.of_batch(Duration::ZERO, 0), Duration::ZERO);
    }

    #[test]
    fn what_is_usual_is_learned() {
        let mut pace = Pace::default();
        pace.of_batch(micros(2), 1);
        let apart: Vec<_> = (0..40).map(|_| pace.of_batch(micros(8 * 50), 8)).collect();
        assert!(apart[0] < micros(10) && apart[39] == micros(50), "{apart:?}");
        (0..100).for_each(|_| _ = pace.of_batch(micros(8 * 2), 8));
        assert!(pace.of_batch(micros(8000), 8) < micros(7));
    }
}
