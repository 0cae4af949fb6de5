//! Who carried how much when: sums by every dimension, in buckets of one second, ten seconds and a minute.
//!
//! The last minute is kept by the second, the window by ten seconds and by the minute. A bucket takes deltas while it is young (its
//! tables are bounded, see [`Table`]); then it keeps its heaviest keys only. Sums of everything are exact always; what a key can miss is
//! bounded and told.
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
    /// The buckets of the seconds from `from` to before `to`.
    ///
    /// Buckets of one second and of ten never say the same: a second becomes part of its ten seconds when it is a minute old.
    pub(crate) fn cover(&self, from: i64, to: i64) -> Cover<'_> {
        self.cover_by(from, to, true)
    }

    /// Like [`TalkersView::cover`]; without minutes where there are buckets of ten seconds.
    pub(crate) fn cover_by(&self, from: i64, to: i64, minutes: bool) -> Cover<'_> {
        let [fine, tens, sixties] = &self.levels;
        // In the last minute a range is exact: ten seconds that began before it are left out.
        let is_fine = fine.first_key_value().is_some_and(|(oldest, _)| from >= *oldest);
        let ten_from = if is_fine { from } else { align(from, LEVELS[1]) };
        let mut buckets = Vec::new();
        let mut taken = std::collections::BTreeSet::new();
        for (start, bucket) in range(sixties, align(from, LEVELS[2]), to) {
            let inside = *start >= ten_from && *start + LEVELS[2] <= to;
            let only = range(tens, *start, *start + LEVELS[2]).next().is_none();
            if (inside && minutes) || only {
                taken.insert(*start);
                buckets.push(Part { level: 2, start: *start, bucket });
            }
        }
        for (start, bucket) in
            range(tens, ten_from, to).filter(|(start, _)| !taken.contains(&align(**start, LEVELS[2])))
        {
            buckets.push(Part { level: 1, start: *start, bucket });
        }
        buckets.extend(range(fine, from, to).map(|(start, bucket)| Part { level: 0, start: *start, bucket }));
        buckets.sort_by_key(|part| (part.start, part.level));
        let from = buckets.first().map_or(from, |first| first.start.min(from));
        // A bucket of ten seconds that is still open ends where the fine ones begin.
        let newest = fine.last_key_value().map_or(i64::MIN, |(newest, _)| *newest + 1);
        let end = |part: &Part<'_>| (part.start + LEVELS[part.level]).min(newest.max(part.start + 1));
        let to = buckets.iter().map(end).max().map_or(to, |end| end.max(to));
        Cover { from, to, buckets }
    }
}

fn range(level: &BTreeMap<i64, Arc<Bucket>>, from: i64, to: i64) -> impl Iterator<Item = (&i64, &Bucket)> {
    level.range(from..to.max(from)).map(|(start, bucket)| (start, &**bucket))
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
    pub(super) fn add(&mut self, deltas: &mut [Delta]) {
        let Some(newest) = deltas.iter().map(|d| d.second).max() else { return };
        self.advance(newest);
        let (fine_from, coarse_from) = (self.newest - FINE, align(self.newest - OPEN, LEVELS[1]));
        for delta in &mut *deltas {
            delta.level = usize::from(delta.second < fine_from);
            delta.second =
                if delta.level == 0 { delta.second } else { align(delta.second.max(coarse_from), LEVELS[1]) };
        }
        let mut buckets: BTreeMap<(usize, i64), Vec<&Delta>> = BTreeMap::new();
        for delta in &*deltas {
            buckets.entry((delta.level, delta.second)).or_default().push(delta);
        }
        for ((level, second), deltas) in buckets {
            let bucket = self.view.levels[level].entry(second).or_default();
            Arc::make_mut(bucket).add(&deltas);
        }
    }

    /// Drops what is older than `horizon`, a second.
    pub(super) fn expire(&mut self, horizon: i64) {
        for level in 0..LEVELS.len() {
            while let Some(first) = self.view.levels[level].first_entry() {
                if *first.key() + LEVELS[level] > horizon {
                    break;
                }
                self.closed_bytes = self.closed_bytes.saturating_sub(first.remove().closed_bytes());
            }
        }
    }

    /// Makes seconds that are no longer fine part of their ten seconds, closes old ten seconds, and makes minutes of them.
    fn advance(&mut self, newest: i64) {
        if newest <= self.newest {
            return;
        }
        let before = std::mem::replace(&mut self.newest, newest);
        if before == i64::MIN {
            return;
        }
        let keep = self.view.levels[0].split_off(&(newest - FINE));
        for (second, bucket) in std::mem::replace(&mut self.view.levels[0], keep) {
            let coarse = self.view.levels[1].entry(align(second, LEVELS[1])).or_default();
            Arc::make_mut(coarse).merge(&bucket);
        }
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
