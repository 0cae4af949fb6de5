//! How far this host's clock is from the server's: four stamps of each heartbeat, and of the last eight the one with the shortest round
//! trip (RFC 5905, sections 8 and 10).
//!
//! The estimate is shown, and nothing is rewritten with it: a stamp says what the agent's clock said.
//!
//! Limits: the offset is right within half of the round trip, whatever the way there and back are. A clock that is set in between makes
//! stamps that contradict each other: they are left out, and [`Filter::forget`] begins anew.

use std::collections::VecDeque;

/// Heartbeats that are looked at.
const KEPT: usize = 8;

/// The four stamps of a heartbeat, nanoseconds since 1970.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Stamps {
    /// When it was sent, by the agent's clock.
    pub sent: i64,
    /// When it came, by the server's.
    pub received: i64,
    /// When it was answered, by the server's.
    pub replied: i64,
    /// When the answer came, by the agent's.
    pub arrived: i64,
}

/// How far apart the clocks are.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Estimate {
    /// The agent's clock less the server's, nanoseconds.
    pub offset: i64,
    /// The offset is right within this, nanoseconds.
    pub error: u64,
}

/// The last heartbeats.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Filter {
    kept: VecDeque<Estimate>,
}

impl Filter {
    /// An answer to a heartbeat came; stamps that cannot be are left out.
    pub fn add(&mut self, stamps: Stamps) {
        let Some(estimate) = estimate(stamps) else { return };
        if self.kept.len() >= KEPT {
            self.kept.pop_front();
        }
        self.kept.push_back(estimate);
    }

    /// The clock was set: what was measured before says nothing.
    pub fn forget(&mut self) {
        self.kept.clear();
    }

    /// That with the shortest round trip.
    #[must_use]
    pub fn best(&self) -> Option<Estimate> {
        self.kept.iter().min_by_key(|estimate| estimate.error).copied()
    }
}

fn estimate(stamps: Stamps) -> Option<Estimate> {
    let Stamps { sent, received, replied, arrived } = stamps;
    let away = arrived.checked_sub(sent).filter(|away| *away >= 0)?;
    let inside = replied.checked_sub(received).filter(|inside| *inside >= 0)?;
    let round_trip = away.checked_sub(inside).filter(|round_trip| *round_trip >= 0)?;
    let there = i128::from(received) - i128::from(sent);
    let back = i128::from(replied) - i128::from(arrived);
    let ahead = (there + back) / 2;
    Some(Estimate { offset: i64::try_from(-ahead).ok()?, error: u64::try_from(round_trip / 2).ok()? })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_shortest_round_trip_of_the_last_eight_counts() {
        let mut filter = Filter::default();
        assert_eq!(filter.best(), None);
        let stamps = |there: i64, back: i64, offset: i64| Stamps {
            sent: 1000 + offset,
            received: 1000 + there,
            replied: 1010 + there,
            arrived: 1010 + there + back + offset,
        };
        filter.add(stamps(10, 10, 500));
        assert_eq!(filter.best(), Some(Estimate { offset: 500, error: 10 }));
        for _ in 0..7 {
            filter.add(stamps(100, 20, 500));
        }
        assert_eq!(filter.best(), Some(Estimate { offset: 500, error: 10 }), "the first is still one of eight");
        filter.add(stamps(100, 20, 500));
        assert_eq!(filter.best(), Some(Estimate { offset: 460, error: 60 }), "asymmetry is within the error");
        filter.forget();
        assert_eq!(filter.best(), None);
    }

    #[test]
    fn a_clock_that_was_set_in_between_is_left_out() {
        let mut filter = Filter::default();
        filter.add(Stamps { sent: 5000, received: 10, replied: 20, arrived: 4000 });
        filter.add(Stamps { sent: 0, received: 10, replied: 5, arrived: 100 });
        filter.add(Stamps { sent: i64::MIN, received: 10, replied: 50, arrived: i64::MAX });
        assert_eq!(filter.best(), None);
    }

    proptest! {
        #[test]
        fn the_offset_is_right_within_its_error(
            ways in prop::collection::vec((0_i64..1_000_000_000, 0_i64..1_000_000_000, 0_i64..1_000_000), 1..20),
            offset in -1_000_000_000_000_i64..1_000_000_000_000,
        ) {
            let mut filter = Filter::default();
            let mut time = 1_700_000_000_000_000_000_i64;
            for (there, back, inside) in ways {
                let (received, replied) = (time + there, time + there + inside);
                filter.add(Stamps { sent: time + offset, received, replied, arrived: replied + back + offset });
                time += 20_000_000_000;
            }
            let best = filter.best().expect("each was good");
            prop_assert!((best.offset - offset).unsigned_abs() <= best.error + 1, "{best:?} of {offset}");
        }
    }
}
