//! Sums of one stretch of time in all dimensions.

use netwatch_api::traffic::Dimension;

use super::table::{Closed, Table};
use crate::store::history::Carried;
use crate::store::key::{KEYED, Key, Subjects, Tally};

/// Deltas that a bucket keeps as they are; with more it sums them.
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

/// Sums of everything, and by key: deltas as they came, and what was summed before.
#[derive(Clone, Debug, Default)]
pub(crate) struct Bucket {
    /// All flows.
    pub(crate) total: Tally,
    /// Conversations that had no record of their own.
    pub(crate) others: u64,
    plain: Vec<Delta>,
    tables: [Closed; KEYED.len()],
}

impl Bucket {
    /// Adds what a flow carried.
    pub(super) fn add(&mut self, delta: Delta) {
        self.total.add(&delta.tally());
        self.others += delta.others();
        self.plain.push(delta);
    }

    /// Whether there are so many deltas that they should be summed.
    pub(super) const fn is_full(&self) -> bool {
        self.plain.len() >= PLAIN
    }

    /// The sum of some buckets: in each dimension the heaviest keys. `scratch` is empty, and is so again.
    pub(super) fn sum<'a>(parts: &(impl Iterator<Item = &'a Self> + Clone), keys: usize, scratch: &mut Table) -> Self {
        let mut sum = Self::default();
        for part in parts.clone() {
            sum.total.add(&part.total);
            sum.others += part.others;
        }
        for (table, by) in sum.tables.iter_mut().zip(KEYED) {
            for part in parts.clone() {
                part.tell(by, |key, tally| scratch.add(key, &tally));
                scratch.miss(part.missing(by));
            }
            *table = scratch.close(keys);
        }
        sum
    }

    /// Bytes of the sums by key.
    pub(super) fn bytes(&self) -> usize {
        size_of::<Self>() + self.tables.iter().map(|table| size_of_val(&*table.sums)).sum::<usize>()
    }

    /// Tells each key of a dimension with a sum; a key can come several times, but neighbours differ.
    pub(crate) fn tell(&self, by: Dimension, mut to: impl FnMut(Key, Tally)) {
        if let Some(table) = place(by).and_then(|at| self.tables.get(at)) {
            table.sums.iter().for_each(|(key, tally)| to(*key, *tally));
        }
        // Neighbours often have the same key, in some dimensions nearly always: they are told as one.
        let mut run: Option<(Key, Tally)> = None;
        for delta in &self.plain {
            delta.subjects.tell(by, &delta.tally(), &delta.carried, |key, tally| match &mut run {
                Some((same, sum)) if *same == key => sum.add(&tally),
                run => {
                    if let Some((before, sum)) = run.replace((key, tally)) {
                        to(before, sum);
                    }
                }
            });
        }
        if let Some((last, sum)) = run {
            to(last, sum);
        }
    }

    /// Octets that a key of that dimension may have carried beyond what is told.
    pub(crate) fn missing(&self, by: Dimension) -> u64 {
        let table = place(by).and_then(|at| self.tables.get(at)).map_or(0, |table| table.missing);
        self.plain.iter().map(|delta| delta.blind(by)).fold(table, u64::saturating_add)
    }
}

fn place(by: Dimension) -> Option<usize> {
    KEYED.iter().position(|d| *d == by)
}
