//! Which positions of the spool the server has: all before one of them, and ranges beyond.
//!
//! Limits: [`MOST`] ranges. Beyond them an ack out of order is forgotten: its batch goes once more and counts once.

use std::collections::BTreeMap;

use netwatch_model::Position;

/// Most ranges.
const MOST: usize = 4096;
/// First, last, records.
const ENTRY: usize = 3 * 8;

/// What the server has.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Acked {
    next: Position,
    /// Records before `next`, since the agent was enrolled; a lower bound where some were lost.
    before: u64,
    /// From the first position of a range to its last and the records in it.
    ranges: BTreeMap<Position, (Position, u64)>,
}

impl Acked {
    /// Everything before a position.
    pub(super) const fn starting_at(next: Position, before: u64) -> Self {
        Self { next, before, ranges: BTreeMap::new() }
    }

    /// The first position that the server does not have.
    pub(super) const fn next(&self) -> Position {
        self.next
    }

    /// Records before that.
    pub(super) const fn records_before(&self) -> u64 {
        self.before
    }

    /// Positions beyond the first that is missing which it has all the same.
    pub(super) fn batches_ahead(&self) -> u64 {
        self.ranges.iter().map(|(first, (last, _))| last.next().since(*first)).sum()
    }

    /// The last position of the range that holds this one; none when the server does not have it.
    pub(super) fn end_of(&self, position: Position) -> Option<Position> {
        self.range_at(position).map(|(last, _)| last)
    }

    /// The same, with the records from this position up to there where the range begins with it.
    pub(super) fn range_at(&self, position: Position) -> Option<(Position, Option<u64>)> {
        if position < self.next {
            return Some((self.next.before(), None));
        }
        let (first, (last, records)) = self.ranges.range(..=position).next_back()?;
        (position <= *last).then_some((*last, (*first == position).then_some(*records)))
    }

    /// Records of ranges beyond the first missing position that lie within these positions.
    pub(super) fn records_within(&self, first: Position, last: Position) -> u64 {
        self.ranges.range(first..).take_while(|(_, (end, _))| *end <= last).map(|(_, (_, records))| records).sum()
    }

    /// It has these, with so many records, too.
    pub(super) fn add(&mut self, first: Position, last: Position, records: u64) {
        if self.end_of(first).is_some_and(|end| last <= end) || last < first {
            return;
        }
        let (mut first, mut last, mut records) = (first.max(self.next), last, records);
        // Ranges that touch become one.
        if let Some((before, (end, of))) = self.ranges.range(..first).next_back().map(|(b, r)| (*b, *r))
            && end.next() >= first
        {
            self.ranges.remove(&before);
            (first, last, records) = (before, last.max(end), records + of);
        }
        while let Some((after, (end, of))) = self.ranges.range(first..).next().map(|(a, r)| (*a, *r))
            && after <= last.next()
        {
            self.ranges.remove(&after);
            (last, records) = (last.max(end), records + of);
        }
        if first <= self.next {
            self.next = last.next();
            self.before += records;
        } else if self.ranges.len() < MOST {
            self.ranges.insert(first, (last, records));
        }
    }

    pub(super) fn encode(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.before.to_le_bytes());
        for (first, (last, records)) in &self.ranges {
            for word in [first.0, last.0, *records] {
                out.extend_from_slice(&word.to_le_bytes());
            }
        }
    }

    pub(super) fn decode(next: Position, bytes: &[u8]) -> Option<Self> {
        let (before, rest) = bytes.split_first_chunk()?;
        let (entries, []) = rest.as_chunks::<ENTRY>() else { return None };
        let mut acked = Self::starting_at(next, u64::from_le_bytes(*before));
        for entry in entries {
            let (words, _) = entry.as_chunks::<8>();
            let [first, last, records] = <[[u8; 8]; 3]>::try_from(words).ok()?.map(u64::from_le_bytes);
            acked.add(Position(first), Position(last), records);
        }
        Some(acked)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// It knows what a set of positions knows.
        #[test]
        fn ranges_are_a_set(adds in prop::collection::vec((1_u64..60, 0_u64..4), 0..60)) {
            let mut acked = Acked::starting_at(Position::FIRST, 0);
            let mut set = BTreeSet::new();
            for (first, more) in adds {
                acked.add(Position(first), Position(first + more), 0);
                set.extend(first..=first + more);
                let missing = (1..).find(|n| !set.contains(n)).unwrap_or_default();
                prop_assert_eq!(acked.next(), Position(missing));
                for n in 1..70 {
                    prop_assert_eq!(acked.end_of(Position(n)).is_some(), set.contains(&n), "{}", n);
                }
                let ahead = set.iter().filter(|n| **n > missing).count() as u64;
                prop_assert_eq!(acked.batches_ahead(), ahead);
                let mut bytes = Vec::new();
                acked.encode(&mut bytes);
                prop_assert_eq!(Acked::decode(acked.next(), &bytes), Some(acked.clone()));
            }
        }

        /// Single batches count their records once, in whatever order they come.
        #[test]
        fn records_are_counted_once(order in Just((1_u64..40).collect::<Vec<_>>()).prop_shuffle(), again in 1_u64..40) {
            let mut acked = Acked::starting_at(Position::FIRST, 100);
            for position in order {
                acked.add(Position(position), Position(position), position);
                acked.add(Position(again.min(position)), Position(again.min(position)), 0);
            }
            prop_assert!(acked.next() == Position(40));
            prop_assert!(acked.records_before() <= 100 + (1..40).sum::<u64>());
        }
    }
}
