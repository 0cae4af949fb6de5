//! Who carried how much when: sums by every dimension, in buckets of one second, ten seconds and a minute.
//!
//! The last minute is kept by the second, as deltas or, in a busy second, as sums. What is older is summed to ten seconds, and these
//! to minutes beside them; of each the heaviest keys stay. Sums of everything are exact always; what a key can miss is bounded and told.
//! A delta that comes more than a minute late counts in the oldest second.
//!
//! Limits: at most 70 + 360 + 60 buckets; those of ten seconds and of minutes have a byte budget, and when that is used up the oldest of
//! ten seconds go first, because the minutes say the same more coarsely.

mod bucket;
mod table;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

pub(crate) use bucket::{Bucket, Delta};
pub(crate) use table::Table;

/// Seconds for which buckets of one second are kept, at least.
const FINE: i64 = 60;
/// Seconds of a bucket, by level.
pub(crate) const LEVELS: [i64; 3] = [1, 10, 60];

/// Buckets of all levels by their first second, as they were at one time.
#[derive(Clone, Debug, Default)]
pub(crate) struct TalkersView {
    pub(crate) levels: [BTreeMap<i64, Arc<Bucket>>; 3],
}

/// A bucket that a stretch of time needs.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Part<'a> {
    pub(crate) level: usize,
    pub(crate) start: i64,
    pub(crate) bucket: &'a Bucket,
}

/// The buckets of a stretch of time, oldest first, and which seconds they really stand for.
#[derive(Clone, Debug)]
pub(crate) struct Cover<'a> {
    pub(crate) from: i64,
    pub(crate) to: i64,
    pub(crate) buckets: Vec<Part<'a>>,
}

impl TalkersView {
    /// The buckets of the seconds from `from` to before `to`. In the last minute these are exact; before, a range begins and ends with
    /// whole buckets of ten seconds.
    pub(crate) fn cover(&self, from: i64, to: i64) -> Cover<'_> {
        self.cover_by(from, to, true)
    }

    /// Like [`TalkersView::cover`]; without minutes where there are buckets of ten seconds.
    pub(crate) fn cover_by(&self, from: i64, to: i64, minutes: bool) -> Cover<'_> {
        let newest = self.newest();
        let oldest = self.levels.iter().filter_map(|level| level.keys().next()).min().copied().unwrap_or(newest);
        let (mut from, to) = (from.max(oldest), to.min(newest + 1));
        if !self.is_fine(from) {
            from = align(from, LEVELS[1]);
        }
        let (mut at, mut buckets) = (from, Vec::new());
        while at < to {
            let level = self.level_at(at, to, minutes);
            let start = align(at, LEVELS[level]);
            if let Some(bucket) = self.levels[level].get(&start) {
                from = from.min(start);
                buckets.push(Part { level, start, bucket });
            }
            at = start + LEVELS[level];
        }
        let end = if buckets.is_empty() { to } else { at.min(newest + 1) };
        Cover { from, to: end.max(to), buckets }
    }

    /// Whether every second from that one on is kept by itself.
    pub(crate) fn is_fine(&self, from: i64) -> bool {
        from >= fine_from(self.newest())
    }

    /// The buckets for steps of that length: seconds if they are shorter than ten.
    pub(crate) fn steps(&self, from: i64, to: i64, step: i64) -> Vec<Part<'_>> {
        if step >= LEVELS[1] {
            return self.cover_by(from, to, step >= LEVELS[2]).buckets;
        }
        let seconds = self.levels[0].range(from..to.max(from));
        seconds.map(|(start, bucket)| Part { level: 0, start: *start, bucket }).collect()
    }

    /// The level of the bucket that is to stand for the second `at` and, as far as it goes, those before `to`.
    fn level_at(&self, at: i64, to: i64, minutes: bool) -> usize {
        if self.is_fine(at) {
            return 0;
        }
        let minute = align(at, LEVELS[2]);
        let fits = minutes && at == minute && at + LEVELS[2] <= to;
        let only = !self.levels[1].contains_key(&align(at, LEVELS[1]));
        if (fits || only) && self.levels[2].contains_key(&minute) { 2 } else { 1 }
    }

    /// The newest second of which anything is known.
    fn newest(&self) -> i64 {
        self.levels[0].keys().next_back().copied().unwrap_or(i64::MIN / 2)
    }
}

/// All buckets.
#[derive(Debug)]
pub(super) struct Talkers {
    view: TalkersView,
    newest: i64,
    /// Before that second all minutes were made.
    minutes_until: i64,
    keys: usize,
    budget: usize,
    closed_bytes: usize,
    scratch: Table,
}

impl Talkers {
    pub(super) fn new(keys: usize, budget: usize) -> Self {
        Self {
            view: TalkersView::default(),
            newest: i64::MIN,
            minutes_until: i64::MIN,
            keys: keys.max(1),
            budget,
            closed_bytes: 0,
            scratch: Table::default(),
        }
    }

    /// For readers.
    pub(super) fn view(&self) -> TalkersView {
        self.view.clone()
    }

    /// Adds what flows carried, in any order.
    pub(super) fn add(&mut self, deltas: impl Iterator<Item = Delta>, newest: i64) {
        self.advance(newest);
        let oldest = fine_from(self.newest);
        // A batch has few seconds, and neighbours nearly always the same.
        let mut at: Option<(i64, &mut Bucket)> = None;
        for delta in deltas {
            let second = delta.second.max(oldest);
            let bucket = match at.take() {
                Some((same, bucket)) if same == second => bucket,
                _ => Arc::make_mut(self.view.levels[0].entry(second).or_default()),
            };
            bucket.add(delta);
            if bucket.is_full() {
                *bucket = Bucket::sum(&std::iter::once(&*bucket), self.keys, &mut self.scratch);
            }
            at = Some((second, bucket));
        }
    }

    /// Drops what is older than `horizon`, a second.
    pub(super) fn expire(&mut self, horizon: i64) {
        for (level, length) in self.view.levels.iter_mut().zip(LEVELS) {
            while let Some(first) = level.first_entry().filter(|first| *first.key() + length <= horizon) {
                let gone = first.remove();
                if length > LEVELS[0] {
                    self.closed_bytes = self.closed_bytes.saturating_sub(gone.bytes());
                }
            }
        }
    }

    /// Sums seconds that are older than a minute to ten seconds, and these to minutes.
    fn advance(&mut self, newest: i64) {
        if newest <= self.newest {
            return;
        }
        self.newest = newest;
        let fine = self.view.levels[0].split_off(&fine_from(newest));
        let old = std::mem::replace(&mut self.view.levels[0], fine);
        if old.is_empty() {
            return;
        }
        let tens: BTreeSet<i64> = old.keys().map(|second| align(*second, LEVELS[1])).collect();
        for ten in tens {
            let seconds = old.range(ten..ten + LEVELS[1]).map(|(_, bucket)| &**bucket);
            let sum = Bucket::sum(&seconds, self.keys, &mut self.scratch);
            self.keep(1, ten, sum);
        }
        self.make_minutes(align(fine_from(newest), LEVELS[2]));
        self.shrink();
    }

    /// Makes the minutes before that second.
    fn make_minutes(&mut self, until: i64) {
        let from = self.minutes_until.min(until);
        let minutes: BTreeSet<i64> =
            self.view.levels[1].range(from..until).map(|(ten, _)| align(*ten, LEVELS[2])).collect();
        for minute in minutes {
            let tens = self.view.levels[1].range(minute..minute + LEVELS[2]).map(|(_, bucket)| &**bucket);
            let sum = Bucket::sum(&tens, self.keys, &mut self.scratch);
            self.keep(2, minute, sum);
        }
        self.minutes_until = until;
    }

    fn keep(&mut self, level: usize, start: i64, bucket: Bucket) {
        self.closed_bytes += bucket.bytes();
        self.view.levels[level].insert(start, Arc::new(bucket));
    }

    /// Keeps the budget.
    fn shrink(&mut self) {
        while self.closed_bytes > self.budget {
            let [_, tens, minutes] = &self.view.levels;
            let is_told_twice = tens.keys().next().is_some_and(|ten| minutes.contains_key(&align(*ten, LEVELS[2])));
            let level = if is_told_twice || minutes.is_empty() { 1 } else { 2 };
            let Some((_, gone)) = self.view.levels[level].pop_first() else { return };
            self.closed_bytes = self.closed_bytes.saturating_sub(gone.bytes());
        }
    }
}

/// The oldest second that is kept by itself: all seconds of its ten are.
const fn fine_from(newest: i64) -> i64 {
    align(newest.saturating_sub(FINE), LEVELS[1])
}

/// The first second of the bucket of `step` seconds that has that second.
pub(crate) const fn align(second: i64, step: i64) -> i64 {
    second.div_euclid(step) * step
}

#[cfg(test)]
mod tests;
