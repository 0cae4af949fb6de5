//! How long a probe was up: what its runs say of each second, and what that adds up to in each period.
//!
//! Pure: runs, windows of maintenance and periods go in, whole seconds come out. Each second of a period is exactly one of up, degraded,
//! down, maintenance and unknown, so that the five add up to the period to the second.
//!
//! ```text
//! buckets ─[timeline]─► segments of one agent ─[quorum]─► segments of the probe ─[Ledger::sums]─► seconds of a period
//! ```
//!
//! - What a run found holds until the next one. When that does not come within [`timeline::PATIENCE`] intervals, it holds for one
//!   interval, and what follows is unknown.
//! - A run that says nothing about the target (forbidden, no right, no such interface) makes its time unknown.
//! - Maintenance takes precedence of everything: a failure then counts nowhere, but is told apart.
//! - Availability is the share of up and degraded in what is known: neither maintenance nor unknown time counts for or against it.
//!
//! Limits: seconds. Where history keeps hours only, the runs of an hour are taken as evenly spread, its failures as one outage at the
//! side of the hour where its first or last run failed; sums stay right, the place of an outage is right to the hour.

pub(crate) mod ask;
pub(crate) mod periods;
pub(crate) mod quorum;
#[cfg(test)]
mod tests;
pub(crate) mod timeline;

use super::board::RunState;

/// A stretch of time, half-open, in seconds since the epoch.
pub(crate) type Seconds = (i64, i64);

/// A stretch of time with one state.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Segment {
    /// First second.
    pub(crate) from: i64,
    /// First second that is no part of it.
    pub(crate) to: i64,
    pub(crate) state: RunState,
}

/// The seconds of a period by what they were.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) struct Sums {
    pub(crate) up: i64,
    pub(crate) degraded: i64,
    pub(crate) down: i64,
    pub(crate) maintenance: i64,
    pub(crate) unknown: i64,
    /// Part of `maintenance`: what would have been down.
    pub(crate) maintenance_down: i64,
    /// Outages that touch the period, outside of maintenance.
    pub(crate) outages: u32,
}

impl Sums {
    /// What they add up to: the length of the period.
    #[cfg(test)]
    pub(crate) const fn whole(&self) -> i64 {
        self.up + self.degraded + self.down + self.maintenance + self.unknown
    }

    /// Share of up and degraded in what is known, 0 to 1; `None` when nothing is.
    #[expect(clippy::cast_precision_loss, reason = "seconds of years are far below 2^53")]
    pub(crate) fn availability(&self) -> Option<f64> {
        let good = self.up + self.degraded;
        let known = good + self.down;
        (known > 0).then(|| good as f64 / known as f64)
    }

    fn add(&mut self, state: RunState, seconds: i64, in_maintenance: bool) {
        if in_maintenance {
            self.maintenance += seconds;
            self.maintenance_down += if state == RunState::Down { seconds } else { 0 };
            return;
        }
        match state {
            RunState::Up => self.up += seconds,
            RunState::Degraded => self.degraded += seconds,
            RunState::Down => {
                self.down += seconds;
                self.outages += 1;
            }
            RunState::Unknown => self.unknown += seconds,
        }
    }
}

/// A stretch of time as it is accounted for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Entry {
    pub(crate) segment: Segment,
    pub(crate) in_maintenance: bool,
}

/// All seconds of a span, each with its state and whether it was maintenance.
#[derive(Clone, Debug, Default)]
pub(crate) struct Ledger {
    entries: Vec<Entry>,
}

impl Ledger {
    /// `segments` cover a span without gaps; `windows` are sorted and do not overlap.
    pub(crate) fn new(segments: &[Segment], windows: &[Seconds]) -> Self {
        let mut entries = Vec::with_capacity(segments.len() + 2 * windows.len());
        let mut windows = windows.iter().copied().peekable();
        for segment in segments {
            let mut from = segment.from;
            while from < segment.to {
                while windows.next_if(|window| window.1 <= from).is_some() {}
                let (to, in_maintenance) = match windows.peek() {
                    Some(window) if window.0 <= from => (window.1.min(segment.to), true),
                    Some(window) => (window.0.min(segment.to), false),
                    None => (segment.to, false),
                };
                entries.push(Entry { segment: Segment { from, to, ..*segment }, in_maintenance });
                from = to;
            }
        }
        Self { entries }
    }

    /// What a period is made of. Seconds that are not in the ledger are unknown.
    pub(crate) fn sums(&self, (from, to): Seconds) -> Sums {
        let mut sums = Sums::default();
        let first = self.entries.partition_point(|entry| entry.segment.to <= from);
        let mut told = 0;
        for entry in self.entries.iter().skip(first).take_while(|entry| entry.segment.from < to) {
            let seconds = entry.segment.to.min(to) - entry.segment.from.max(from);
            sums.add(entry.segment.state, seconds, entry.in_maintenance);
            told += seconds;
        }
        sums.unknown += (to - from - told).max(0);
        sums
    }

    /// The last `most` outages of a period, the newest first, and whether there were more.
    pub(crate) fn outages(&self, (from, to): Seconds, most: usize) -> (Vec<Entry>, bool) {
        let is_outage = |entry: &&Entry| {
            let segment = &entry.segment;
            segment.state == RunState::Down && segment.from < to && segment.to > from
        };
        let mut found: Vec<Entry> = self.entries.iter().rev().filter(is_outage).take(most + 1).copied().collect();
        let more = found.len() > most;
        found.truncate(most);
        (found, more)
    }
}

/// Sorts windows, and joins those that touch.
pub(crate) fn joined(mut windows: Vec<Seconds>) -> Vec<Seconds> {
    windows.retain(|(from, to)| from < to);
    windows.sort_unstable();
    let mut out: Vec<Seconds> = Vec::with_capacity(windows.len());
    for (from, to) in windows {
        match out.last_mut() {
            Some(last) if last.1 >= from => last.1 = last.1.max(to),
            _ => out.push((from, to)),
        }
    }
    out
}

/// Adds a stretch; neighbours of one state become one.
pub(crate) fn push(segments: &mut Vec<Segment>, next: Segment) {
    if next.from >= next.to {
        return;
    }
    match segments.last_mut() {
        Some(last) if last.state == next.state && last.to == next.from => last.to = next.to,
        _ => segments.push(next),
    }
}
