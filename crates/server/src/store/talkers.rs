//! Who carried how much when: sums by every dimension, in buckets of one second, ten seconds and a minute.
//!
//! The last minute is kept by the second, the window by ten seconds and by the minute; each level tells everything. A bucket takes
//! deltas while it is young (its tables are bounded, see [`Table`]); then it keeps its heaviest keys only. Sums of everything are exact
//! always; what a key can miss is bounded and told.
//!
//! Limits: at most 60 + 360 + 60 buckets; closed buckets have a byte budget, and when that is used up the oldest buckets of ten
//! seconds go first, because the minutes say the same more coarsely.

mod bucket;
mod table;

use std::collections::BTreeMap;
use std::sync::Arc;

pub(crate) use bucket::{Bucket, Delta};
pub(crate) use table::Table;

/// Seconds for which buckets of one second are kept.
const FINE: i64 = 60;
/// Seconds after which a bucket of ten seconds is closed.
const OPEN: i64 = 120;
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
        let fine_from = newest - FINE;
        let (mut from, to) = (from.max(oldest), to.min(newest + 1));
        if from < fine_from {
            from = align(from, LEVELS[1]);
        }
        let (mut at, mut buckets) = (from, Vec::new());
        while at < to {
            let level = self.level_at(at, to, fine_from, minutes);
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
        from >= self.newest() - FINE
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
    fn level_at(&self, at: i64, to: i64, fine_from: i64, minutes: bool) -> usize {
        let starts = |level: usize| at == align(at, LEVELS[level]);
        let ends = |level: usize| at + LEVELS[level] <= to || to > self.newest();
        let ten = align(at, LEVELS[1]);
        let minute = self.levels[2].contains_key(&align(at, LEVELS[2]));
        if minute && ((minutes && starts(2) && ends(2)) || !self.levels[1].contains_key(&ten)) {
            return 2;
        }
        if at < fine_from || (starts(1) && ends(1)) { 1 } else { 0 }
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
    keys: usize,
    budget: usize,
    closed_bytes: usize,
}

impl Talkers {
    pub(super) fn new(keys: usize, budget: usize) -> Self {
        Self { view: TalkersView::default(), newest: i64::MIN, keys: keys.max(1), budget, closed_bytes: 0 }
    }

    /// For readers.
    pub(super) fn view(&self) -> TalkersView {
        self.view.clone()
    }

    /// Adds what flows carried, in any order.
    pub(super) fn add(&mut self, deltas: &[Delta]) {
        let Some(newest) = deltas.iter().map(|d| d.second).max() else { return };
        self.advance(newest);
        let (fine_from, coarse_from) = (self.newest - FINE, align(self.newest - OPEN, LEVELS[1]));
        let mut seconds: BTreeMap<i64, Vec<&Delta>> = BTreeMap::new();
        for delta in deltas {
            seconds.entry(delta.second).or_default().push(delta);
        }
        for (second, deltas) in seconds {
            if second >= fine_from {
                Arc::make_mut(self.view.levels[0].entry(second).or_default()).add_plain(&deltas);
            }
            let ten = align(second.max(coarse_from), LEVELS[1]);
            let tens = &mut self.view.levels[1];
            if !tens.contains_key(&ten) {
                let like = tens.values().next_back().map(|newest| Bucket::sized_like(newest)).unwrap_or_default();
                tens.insert(ten, Arc::new(like));
            }
            if let Some(bucket) = tens.get_mut(&ten) {
                Arc::make_mut(bucket).add(&deltas);
            }
        }
    }

    /// Drops what is older than `horizon`, a second.
    pub(super) fn expire(&mut self, horizon: i64) {
        for (level, length) in self.view.levels.iter_mut().zip(LEVELS) {
            while let Some(first) = level.first_entry().filter(|first| *first.key() + length <= horizon) {
                self.closed_bytes = self.closed_bytes.saturating_sub(first.remove().closed_bytes());
            }
        }
    }

    /// Drops seconds that are older than a minute, closes old ten seconds, and makes minutes of them.
    fn advance(&mut self, newest: i64) {
        if newest <= self.newest {
            return;
        }
        let before = std::mem::replace(&mut self.newest, newest);
        if before == i64::MIN {
            return;
        }
        self.view.levels[0] = self.view.levels[0].split_off(&(newest - FINE));
        let (from, to) = (align(before - OPEN, LEVELS[1]), align(newest - OPEN, LEVELS[1]));
        if from < to {
            self.close(from - 2 * LEVELS[2], to);
        }
    }

    fn close(&mut self, from: i64, to: i64) {
        for (_, bucket) in self.view.levels[1].range_mut(from..to).filter(|(_, b)| b.closed_bytes() == 0) {
            let bucket = Arc::make_mut(bucket);
            bucket.close(self.keys);
            self.closed_bytes += bucket.closed_bytes();
        }
        let first = align(from, LEVELS[2]);
        let minutes: Vec<i64> =
            self.view.levels[1].range(first..align(to, LEVELS[2])).map(|(s, _)| align(*s, LEVELS[2])).collect();
        for minute in minutes {
            if self.view.levels[2].contains_key(&minute) {
                continue;
            }
            let mut sum = Bucket::default();
            self.view.levels[1].range(minute..minute + LEVELS[2]).for_each(|(_, bucket)| sum.merge(bucket));
            sum.close(self.keys);
            self.closed_bytes += sum.closed_bytes();
            self.view.levels[2].insert(minute, Arc::new(sum));
        }
        self.shrink();
    }

    /// Keeps the budget.
    fn shrink(&mut self) {
        while self.closed_bytes > self.budget {
            let [_, tens, minutes] = &self.view.levels;
            let ten = tens
                .first_key_value()
                .filter(|(s, b)| b.closed_bytes() > 0 && minutes.contains_key(&align(**s, LEVELS[2])));
            let level = if ten.is_some() { 1 } else { 2 };
            let Some((_, gone)) = self.view.levels[level].pop_first() else { return };
            self.closed_bytes = self.closed_bytes.saturating_sub(gone.closed_bytes());
        }
    }
}

/// The first second of the bucket of `step` seconds that has that second.
pub(crate) const fn align(second: i64, step: i64) -> i64 {
    second.div_euclid(step) * step
}

#[cfg(test)]
mod tests;
