//! Sums of one stretch of time in all dimensions.

use netwatch_api::traffic::Dimension;

use super::table::Table;
use crate::store::history::Carried;
use crate::store::key::{KEYED, Subjects, Tally};

/// What one flow carried between two of its records.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Delta {
    /// Time of its last packet, in seconds of 1970.
    pub(crate) second: i64,
    /// Level of the bucket; set when it is added.
    pub(super) level: usize,
    /// Whose.
    pub(crate) subjects: Subjects,
    /// From source and destination.
    pub(crate) carried: Carried,
    /// The same in sums.
    pub(crate) tally: Tally,
    /// Conversations, when it stands for several: these are counted as having had no place.
    pub(crate) others: u64,
}

impl Delta {
    /// A delta.
    pub(crate) const fn new(second: i64, subjects: Subjects, carried: Carried, tally: Tally, others: u64) -> Self {
        Self { second, level: 0, subjects, carried, tally, others }
    }
}

/// Sums of everything, and by key.
#[derive(Clone, Debug, Default)]
pub(crate) struct Bucket {
    /// All flows.
    pub(crate) total: Tally,
    /// Conversations that had no record of their own.
    pub(crate) others: u64,
    tables: [Table; KEYED.len()],
    /// Octets without a key because conversations were summed, by dimension.
    blind: [u64; KEYED.len()],
    closed: bool,
}

impl Bucket {
    /// Adds what flows carried.
    pub(super) fn add(&mut self, deltas: &[&Delta]) {
        for delta in deltas {
            self.total.add(&delta.tally);
            self.others += delta.others;
        }
        for (at, by) in KEYED.into_iter().enumerate() {
            let (Some(table), Some(blind)) = (self.tables.get_mut(at), self.blind.get_mut(at)) else { continue };
            for delta in deltas {
                let mut told = false;
                delta.subjects.tell(by, &delta.tally, &delta.carried, |key, tally| {
                    told = true;
                    table.add(key, &tally);
                });
                // A host that is not told can be either end of a summed conversation.
                if delta.subjects.is_mixed() && (!told || by == Dimension::Host) {
                    *blind = blind.saturating_add(delta.tally.octets);
                }
            }
        }
    }

    /// Adds all sums of another bucket.
    pub(super) fn merge(&mut self, other: &Self) {
        self.total.add(&other.total);
        self.others += other.others;
        self.tables.iter_mut().zip(&other.tables).for_each(|(mine, theirs)| mine.merge(theirs));
        self.blind.iter_mut().zip(other.blind).for_each(|(mine, theirs)| *mine = mine.saturating_add(theirs));
    }

    /// Keeps the heaviest keys only.
    pub(super) fn close(&mut self, keys: usize) {
        self.tables.iter_mut().for_each(|table| table.close(keys));
        self.closed = true;
    }

    /// Bytes of a closed bucket; zero while it is open.
    pub(super) fn closed_bytes(&self) -> usize {
        if !self.closed {
            return 0;
        }
        size_of::<Self>() + self.tables.iter().map(Table::closed_bytes).sum::<usize>()
    }

    /// The table of a dimension; none for direction.
    pub(crate) fn table(&self, by: Dimension) -> Option<&Table> {
        self.tables.get(place(by)?)
    }

    /// Octets that a key of that dimension may have carried beyond what is told.
    pub(crate) fn missing(&self, by: Dimension) -> u64 {
        let at = place(by);
        let blind = at.and_then(|at| self.blind.get(at)).copied().unwrap_or(0);
        blind.saturating_add(self.table(by).map_or(0, Table::missing))
    }
}

fn place(by: Dimension) -> Option<usize> {
    KEYED.iter().position(|d| *d == by)
}
