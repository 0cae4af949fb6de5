//! Sums of one stretch of time in all dimensions.

use netwatch_api::traffic::Dimension;

use super::table::Table;
use crate::store::history::Carried;
use crate::store::key::{KEYED, Key, Subjects, Tally};

/// Deltas that a bucket of one second keeps as they are; with more it sums them.
const PLAIN: usize = 2048;

/// What one flow carried between two of its records.
#[derive(Clone, Debug)]
pub(crate) struct Delta {
    /// Time of its last packet, in seconds of 1970.
    pub(crate) second: i64,
    /// Whose.
    pub(crate) subjects: Subjects,
    /// From source and destination.
    pub(crate) carried: Carried,
    /// In and out of the interface.
    pub(crate) ways: [u64; 2],
    /// How many conversations it stands for: those beyond one had no record of their own.
    pub(crate) conversations: u32,
    /// Whether the conversation is new, and new in its second, ten seconds and minute.
    pub(crate) is_new: [bool; 4],
}

impl Delta {
    fn tally(&self) -> Tally {
        let sum = |n: [u64; 2]| n[0].saturating_add(n[1]);
        let [fresh, active @ ..] = self.is_new.map(|new| if new { self.conversations } else { 0 });
        Tally { octets: sum(self.carried.octets), packets: sum(self.carried.packets), ways: self.ways, fresh, active }
    }

    /// Conversations that had no record of their own.
    fn others(&self) -> u64 {
        if self.subjects.is_mixed() { self.conversations.into() } else { 0 }
    }

    /// Octets that no key of the dimension has, or that could be those of another.
    fn blind(&self, by: Dimension) -> u64 {
        if !self.subjects.is_mixed() {
            return 0;
        }
        let mut told = false;
        self.subjects.tell(by, &Tally::default(), &self.carried, |_, _| told = true);
        // A host that is not told can be either end of a summed conversation.
        if told && by != Dimension::Host { 0 } else { self.tally().octets }
    }
}

/// Sums of everything, and by key.
#[derive(Clone, Debug, Default)]
pub(crate) struct Bucket {
    /// All flows.
    pub(crate) total: Tally,
    /// Conversations that had no record of their own.
    pub(crate) others: u64,
    plain: Vec<Delta>,
    tables: [Table; KEYED.len()],
    /// Octets without a key because conversations were summed, by dimension.
    blind: [u64; KEYED.len()],
    closed: bool,
}

impl Bucket {
    /// An empty bucket that has room for as many keys as another has.
    pub(super) fn sized_like(other: &Self) -> Self {
        Self { tables: std::array::from_fn(|at| Table::sized_like(&other.tables[at])), ..Self::default() }
    }

    /// Adds what flows carried; keeps it as it is while it is little.
    pub(super) fn add_plain(&mut self, deltas: &[&Delta]) {
        if self.tables.iter().any(|table| table.len() > 0) {
            return self.add(deltas);
        }
        if self.plain.len() + deltas.len() <= PLAIN {
            self.add_totals(deltas);
            self.plain.extend(deltas.iter().map(|d| (*d).clone()));
            return;
        }
        let plain = std::mem::take(&mut self.plain);
        self.add_keys(&plain.iter().collect::<Vec<_>>());
        self.add(deltas);
    }

    /// Adds what flows carried.
    pub(super) fn add(&mut self, deltas: &[&Delta]) {
        self.add_totals(deltas);
        self.add_keys(deltas);
    }

    fn add_totals(&mut self, deltas: &[&Delta]) {
        for delta in deltas {
            self.total.add(&delta.tally());
            self.others += delta.others();
        }
    }

    fn add_keys(&mut self, deltas: &[&Delta]) {
        for (at, by) in KEYED.into_iter().enumerate() {
            let (Some(table), Some(blind)) = (self.tables.get_mut(at), self.blind.get_mut(at)) else { continue };
            // Neighbours often have the same key, in some dimensions nearly always: their sums are added at once.
            let mut run: Option<(Key, Tally)> = None;
            for delta in deltas {
                delta.subjects.tell(by, &delta.tally(), &delta.carried, |key, tally| match &mut run {
                    Some((same, sum)) if *same == key => sum.add(&tally),
                    run => {
                        if let Some((before, sum)) = run.replace((key, tally)) {
                            table.add(before, &sum);
                        }
                    }
                });
                *blind = blind.saturating_add(delta.blind(by));
            }
            if let Some((last, sum)) = run {
                table.add(last, &sum);
            }
        }
    }

    /// Adds all sums of another bucket, which has none that are plain.
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

    /// Tells each key of a dimension with a sum; a key can come several times.
    pub(crate) fn tell(&self, by: Dimension, mut to: impl FnMut(Key, Tally)) {
        if let Some(table) = place(by).and_then(|at| self.tables.get(at)) {
            table.iter().for_each(|(key, tally)| to(*key, *tally));
        }
        self.plain.iter().for_each(|delta| delta.subjects.tell(by, &delta.tally(), &delta.carried, &mut to));
    }

    /// Octets that a key of that dimension may have carried beyond what is told.
    pub(crate) fn missing(&self, by: Dimension) -> u64 {
        let Some(at) = place(by) else { return 0 };
        let blind = self.blind.get(at).copied().unwrap_or(0);
        let plain: u64 = self.plain.iter().map(|delta| delta.blind(by)).sum();
        blind.saturating_add(plain).saturating_add(self.tables.get(at).map_or(0, Table::missing))
    }
}

fn place(by: Dimension) -> Option<usize> {
    KEYED.iter().position(|d| *d == by)
}
