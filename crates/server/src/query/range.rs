//! Time ranges as they are compared and kept.

use std::time::Duration;

use netwatch_model::Timestamp;

use super::TimeRange;

/// Answers may be that old: ranges relative to now that differ by less are the same.
const GRAIN: Duration = Duration::from_millis(250);
const SECOND: u128 = 1_000_000_000;

/// A range in which "until now" has no end and "fifteen minutes ago" moves in steps of [`GRAIN`].
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(super) struct Span {
    pub(super) from: Timestamp,
    pub(super) to: Timestamp,
}

impl Span {
    /// The range as asked at `now`.
    pub(super) fn of(range: TimeRange, now: Timestamp) -> Self {
        let until_now = range.to >= now;
        let relative = until_now && now > range.from && now.since(range.from).as_nanos().is_multiple_of(SECOND);
        let from = if relative { floor(range.from, GRAIN) } else { range.from };
        Self { from, to: if until_now { Timestamp::MAX } else { range.to } }
    }

    /// The range in words that stay the same while time goes on: "the last 900 seconds" is one question.
    pub(super) fn words(&self, range: TimeRange, now: Timestamp) -> String {
        if self.from == range.from || self.to != Timestamp::MAX {
            return format!("{} {}", self.from.nanos(), self.to.nanos());
        }
        format!("-{}", now.since(range.from).as_secs())
    }

    /// The first second that is wholly after it.
    pub(super) fn end_second(&self) -> i64 {
        self.to.nanos().div_euclid(1_000_000_000) + i64::from(self.to.nanos().rem_euclid(1_000_000_000) > 0)
    }

    /// Whether a flow has a packet in it, as far as its first and last packet tell.
    pub(super) fn meets(&self, start: Timestamp, end: Timestamp) -> bool {
        end >= self.from && start < self.to
    }

    /// Whether all of a flow is in it.
    pub(super) fn covers(&self, start: Timestamp, end: Timestamp) -> bool {
        start.secs() >= self.from.secs() && Timestamp::from_secs(end.secs()) < self.to && self.meets(start, end)
    }
}

/// Whether a range asked at one time is the same question as one asked at another.
pub(super) fn same_question(a: (TimeRange, Timestamp), b: (TimeRange, Timestamp)) -> bool {
    let same = |x: Timestamp, y: Timestamp| x == y || a.1.nanos() - x.nanos() == b.1.nanos() - y.nanos();
    same(a.0.from, b.0.from) && same(a.0.to, b.0.to)
}

fn floor(time: Timestamp, grain: Duration) -> Timestamp {
    let grain = i64::try_from(grain.as_nanos()).unwrap_or(1).max(1);
    Timestamp::from_nanos(time.nanos().div_euclid(grain).saturating_mul(grain))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn relative_ranges_share_an_answer_and_absolute_ones_stay_exact() {
        let now = Timestamp::from_nanos(1_000_000_000_100_000_007);
        let later = now + Duration::from_millis(20);
        let ago = |now| Span::of(TimeRange { from: now - Duration::from_secs(900), to: now }, now);
        assert_eq!(ago(now), ago(later));
        let words = |now| {
            Span::of(TimeRange { from: now - Duration::from_secs(900), to: now }, now)
                .words(TimeRange { from: now - Duration::from_secs(900), to: now }, now)
        };
        assert_eq!(words(now), words(now + Duration::from_secs(100)), "the same question later");
        let exact = TimeRange { from: Timestamp::from_nanos(123), to: Timestamp::from_nanos(456) };
        assert_eq!(Span::of(exact, now), Span { from: exact.from, to: exact.to });
    }

    #[test]
    fn the_same_words_at_another_time_are_the_same_question() {
        let t = Timestamp::from_secs;
        let range = |from, to| TimeRange { from: t(from), to: t(to) };
        assert!(same_question((range(90, 100), t(100)), (range(95, 105), t(105))), "-10s to now");
        assert!(same_question((range(90, 95), t(100)), (range(90, 95), t(105))), "absolute");
        assert!(same_question((range(0, 100), t(100)), (range(0, 105), t(105))), "from the beginning to now");
        assert!(!same_question((range(90, 100), t(100)), (range(90, 99), t(100))));
    }
}
