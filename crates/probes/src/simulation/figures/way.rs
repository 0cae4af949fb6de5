//! One direction: loss and its bursts, order, duplicates, jitter, delay.

use std::collections::BTreeSet;
use std::time::Duration;

use netwatch_model::probe::delay::jitter;
use netwatch_model::probe::kind::simulation::Way;
use netwatch_model::probe::{Delays, Wilson};

use super::{count, seconds};

/// A packet that arrived at the end of a direction.
#[derive(Clone, Copy)]
pub(super) struct Arrival {
    pub(super) number: u32,
    /// Nanoseconds by two clocks: only differences mean something.
    pub(super) transit: i64,
    /// The first with its number.
    pub(super) is_new: bool,
}

/// The packets of a direction.
#[derive(Default)]
pub(super) struct Trip {
    /// Numbers of the packets that set out, and whether they arrived, in the order of their numbers.
    pub(super) sent: Vec<(u32, bool)>,
    /// In the order of arrival, once each.
    arrivals: Vec<Arrival>,
    duplicates: u32,
}

impl Trip {
    /// Duplicates that arrive with nothing but their number are counted before.
    pub(super) fn with_duplicates(duplicates: u32) -> Self {
        Self { duplicates, ..Self::default() }
    }

    pub(super) fn arrive(&mut self, arrival: Arrival) {
        if arrival.is_new {
            self.arrivals.push(arrival);
        } else {
            self.duplicates = self.duplicates.saturating_add(1);
        }
    }

    /// A packet that arrived too late did not arrive.
    pub(super) fn lose(&mut self, number: u32) {
        if let Ok(at) = self.sent.binary_search_by_key(&number, |(number, _)| *number)
            && let Some((_, arrived)) = self.sent.get_mut(at)
        {
            *arrived = false;
        }
        self.arrivals.retain(|arrival| arrival.number != number);
    }

    /// The figures; `None` when no packet set out as far as we know. Clocks that are wrong by at most `clock_error` seconds together
    /// give one-way delays, when these are longer than that.
    pub(super) fn figures(&self, clock_error: Option<f64>) -> Option<Way> {
        let sent = count(&self.sent);
        if sent == 0 {
            return None;
        }
        let lost = count(self.sent.iter().filter(|(_, arrived)| !arrived));
        let bursts = Bursts::of(self.sent.iter().map(|(_, arrived)| *arrived));
        let variations = self.variations();
        let transits: Vec<f64> = self.arrivals.iter().map(|arrival| seconds(arrival.transit)).collect();
        let is_known = |delays: &Delays| clock_error.is_some_and(|error| error <= delays.median.abs());
        Some(Way {
            sent,
            lost,
            loss: share(lost, sent),
            loss_interval: Wilson::of(lost, sent),
            reordered: reordered(self.arrivals.iter().map(|arrival| arrival.number)),
            duplicates: self.duplicates,
            bursts: bursts.count,
            longest_burst: bursts.longest,
            burst_ratio: bursts.ratio(),
            jitter: jitter(&variations),
            pdv_p95: Delays::of(&variations).map_or(0.0, |delays| delays.pdv_p95),
            delay: Delays::of(&transits).filter(is_known),
            voice: None,
        })
    }

    /// Loss and burst ratio for a listener whose buffer plays each packet when the fastest one and `buffer` have passed.
    pub(super) fn for_listener(&self, buffer: Duration) -> (f64, f64) {
        let shortest = self.shortest();
        let buffer = i64::try_from(buffer.as_nanos()).unwrap_or(i64::MAX);
        let is_late = |arrival: &&Arrival| arrival.transit.saturating_sub(shortest) > buffer;
        let late: BTreeSet<u32> = self.arrivals.iter().filter(is_late).map(|arrival| arrival.number).collect();
        let bursts = Bursts::of(self.sent.iter().map(|(number, arrived)| *arrived && !late.contains(number)));
        (share(bursts.lost, bursts.sent), bursts.ratio())
    }

    /// How much longer than the fastest each packet took, seconds, in the order of arrival.
    fn variations(&self) -> Vec<f64> {
        let shortest = self.shortest();
        self.arrivals.iter().map(|arrival| seconds(arrival.transit.saturating_sub(shortest))).collect()
    }

    fn shortest(&self) -> i64 {
        self.arrivals.iter().map(|arrival| arrival.transit).min().unwrap_or(0)
    }
}

/// Packets that arrived after one that was sent later (RFC 4737, 4.1).
pub(super) fn reordered(numbers: impl Iterator<Item = u32>) -> u32 {
    let (mut next, mut reordered) = (0, 0_u32);
    for number in numbers {
        if number < next {
            reordered = reordered.saturating_add(1);
        } else {
            next = number.saturating_add(1);
        }
    }
    reordered
}

/// Runs of lost packets.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) struct Bursts {
    pub(super) sent: u32,
    pub(super) lost: u32,
    pub(super) count: u32,
    pub(super) longest: u32,
}

impl Bursts {
    pub(super) fn of(arrived: impl Iterator<Item = bool>) -> Self {
        let (mut bursts, mut run) = (Self::default(), 0_u32);
        for arrived in arrived {
            bursts.sent += 1;
            if arrived {
                run = 0;
                continue;
            }
            bursts.lost += 1;
            bursts.count += u32::from(run == 0);
            run += 1;
            bursts.longest = bursts.longest.max(run);
        }
        bursts
    }

    /// Mean length of a burst over that of random loss, 1 / (1 − loss) (ITU-T G.107, 7.5); 1 when nothing or everything was lost.
    pub(super) fn ratio(self) -> f64 {
        if self.count == 0 || self.lost >= self.sent {
            return 1.0;
        }
        f64::from(self.lost) / f64::from(self.count) * (1.0 - share(self.lost, self.sent))
    }
}

fn share(part: u32, whole: u32) -> f64 {
    f64::from(part) / f64::from(whole.max(1))
}
