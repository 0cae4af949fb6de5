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
    closed: Box<[(Key, Tally)]>,
    missing: u64,
}

impl Table {
    /// An empty table with room for as many keys as another has.
    pub(super) fn sized_like(other: &Self) -> Self {
        Self { open: HashMap::with_capacity_and_hasher(other.len(), RandomState::default()), ..Self::default() }
    }

    /// Adds to a key.
    #[inline]
    pub(crate) fn add(&mut self, key: Key, tally: &Tally) {
        match self.open.entry(key) {
            Entry::Occupied(mut known) => known.get_mut().add(tally),
            Entry::Vacant(place) => {
                place.insert(*tally);
                if self.open.len() > MOST {
                    self.keep(KEPT);
                }
            }
        }
    }

    /// Adds all keys of another table.
    pub(crate) fn merge(&mut self, other: &Self) {
        self.open.reserve(other.len().min(MOST / 2));
        other.iter().for_each(|(key, tally)| self.add(*key, tally));
        self.missing = self.missing.saturating_add(other.missing);
    }

    /// Keeps the heaviest keys only, in little memory; nothing may be added any more.
    pub(super) fn close(&mut self, keys: usize) {
        if self.open.len() > keys {
            self.keep(keys);
        }
        self.closed = std::mem::take(&mut self.open).into_iter().collect();
    }

    /// Octets that a key may have carried beyond what is told.
    pub(crate) const fn missing(&self) -> u64 {
        self.missing
    }

    /// All keys.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&Key, &Tally)> {
        self.open.iter().chain(self.closed.iter().map(|(key, tally)| (key, tally)))
    }

    /// How many keys.
    pub(super) fn len(&self) -> usize {
        self.open.len() + self.closed.len()
    }

    /// Bytes of the keys of a closed table.
    pub(super) fn closed_bytes(&self) -> usize {
        size_of_val(&*self.closed)
    }

    /// Gives up all but the heaviest `keys`: six tenths by octets, two each by packets and by conversations.
    fn keep(&mut self, keys: usize) {
        let mut all: Vec<_> = self.open.drain().collect();
        let mut from = 0;
        let measures: [(usize, Measure); 3] = [
            (keys - keys / 5 * 2, |t| t.octets),
            (keys / 5, |t| t.packets),
            (keys / 5, |t| (t.fresh + t.active[1]).into()),
        ];
        for (share, measure) in measures {
            let rest = &mut all[from..];
            if share > 0 && share < rest.len() {
                rest.select_nth_unstable_by_key(share - 1, |(_, tally)| std::cmp::Reverse(measure(tally)));
            }
            from = (from + share).min(all.len());
        }
        let gone = all.split_off(from);
        let heaviest = gone.iter().map(|(_, tally)| tally.octets).max().unwrap_or(0);
        // A key given up twice misses both sums.
        self.missing = self.missing.saturating_add(heaviest);
        self.open.extend(all);
    }
}
