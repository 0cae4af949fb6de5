//! Sums by key, for a bounded number of keys.
//!
//! Keys are counted exactly until there are too many; then the lightest are given up. What a key that was given up, and came back,
//! can miss is at most the heaviest sum ever given up: [`Table::missing`].

use foldhash::fast::RandomState;
use hashbrown::HashMap;
use hashbrown::hash_map::Entry;

use crate::store::key::{Key, Tally};

/// Keys of an open table before the lightest are given up.
const MOST: usize = 3584;
/// Keys that stay then.
const KEPT: usize = 1024;

/// By what keys are compared.
type Measure = fn(&Tally) -> u64;

/// Sums by key.
#[derive(Clone, Debug, Default)]
pub(crate) struct Table {
    open: HashMap<Key, Tally, RandomState>,
    missing: u64,
}

impl Table {
    /// Adds to a key.
    #[inline]
    pub(crate) fn add(&mut self, key: Key, tally: &Tally) {
        match self.open.entry(key) {
            Entry::Occupied(mut known) => known.get_mut().add(tally),
            Entry::Vacant(place) => {
                place.insert(*tally);
                if self.open.len() > MOST {
                    let closed = self.close(KEPT);
                    self.open.extend(closed.sums);
                    self.missing = closed.missing;
                }
            }
        }
    }

    /// Adds all keys of another table.
    pub(crate) fn merge(&mut self, other: &Self) {
        self.open.reserve(other.open.len().min(MOST / 2));
        other.iter().for_each(|(key, tally)| self.add(*key, tally));
        self.miss(other.missing);
    }

    /// Notes that a key may have carried that much more.
    pub(super) const fn miss(&mut self, octets: u64) {
        self.missing = self.missing.saturating_add(octets);
    }

    /// Takes out the heaviest keys; the table is empty then, and keeps its room.
    pub(super) fn close(&mut self, keys: usize) -> Closed {
        let all: Vec<(Key, Tally)> = self.open.drain().collect();
        let before = std::mem::take(&mut self.missing);
        if all.len() <= keys {
            return Closed { sums: all.into_boxed_slice(), missing: before };
        }
        let (kept, gone) = heaviest(&all, keys);
        // A key given up twice misses both sums.
        let missing = before.saturating_add(gone);
        Closed { sums: kept, missing }
    }

    /// Octets that a key may have carried beyond what is told.
    pub(crate) const fn missing(&self) -> u64 {
        self.missing
    }

    /// All keys.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&Key, &Tally)> {
        self.open.iter()
    }
}

/// Sums by key that do not change, in little memory.
#[derive(Clone, Debug, Default)]
pub(super) struct Closed {
    pub(super) sums: Box<[(Key, Tally)]>,
    /// Octets that a key may have carried beyond what is told.
    pub(super) missing: u64,
}

/// The heaviest keys: six tenths by octets, two each by packets and by conversations; and the most octets of one that is not among them.
fn heaviest(all: &[(Key, Tally)], keys: usize) -> (Box<[(Key, Tally)]>, u64) {
    let measures: [(usize, Measure); 3] = [
        (keys - keys / 5 * 2, |t| t.octets),
        (keys / 5, |t| t.packets),
        (keys / 5, |t| t.active.iter().fold(t.fresh, |most, n| most.max(*n)).into()),
    ];
    // Numbers are moved about, not the sums.
    let mut order: Vec<(u64, u32)> = (0..all.len()).filter_map(|at| Some((0, u32::try_from(at).ok()?))).collect();
    let of = |at: u32| all.get(at as usize).map(|(_, tally)| tally);
    let mut from = 0;
    for (share, measure) in measures {
        let rest = order.get_mut(from..).unwrap_or_default();
        rest.iter_mut().for_each(|(most, at)| *most = of(*at).map_or(0, measure));
        if share > 0 && share < rest.len() {
            rest.select_nth_unstable_by_key(share - 1, |(most, _)| std::cmp::Reverse(*most));
        }
        from = (from + share).min(order.len());
    }
    let (kept, gone) = order.split_at(from);
    let kept = kept.iter().filter_map(|(_, at)| all.get(*at as usize).copied()).collect();
    (kept, gone.iter().filter_map(|(_, at)| of(*at)).map(|tally| tally.octets).max().unwrap_or(0))
}
