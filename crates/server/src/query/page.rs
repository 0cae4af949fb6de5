//! The first rows in an order, of those that are offered.

use std::collections::BinaryHeap;

use netwatch_api::flow::SortOrder;
use netwatch_model::FlowId;

use crate::store::Found;

/// A place in an order: smaller comes first, whatever the direction.
pub(super) type Rank = (u64, u64);

/// A row with its place in the order.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Ranked {
    pub(super) rank: Rank,
    pub(super) found: Found,
}

impl Ord for Ranked {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        (self.rank, self.found.place).cmp(&(other.rank, other.found.place))
    }
}

impl PartialOrd for Ranked {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

/// The place of a key in the order; equal keys go by id.
#[inline]
pub(super) const fn rank(order: SortOrder, key: u64, id: FlowId) -> Rank {
    match order {
        SortOrder::Asc => (key, id.bits()),
        SortOrder::Desc => (!key, !id.bits()),
    }
}

/// Keeps the first `most` rows after a place.
#[derive(Debug)]
pub(super) struct Best {
    order: SortOrder,
    after: Option<Rank>,
    most: usize,
    kept: BinaryHeap<Ranked>,
}

impl Best {
    pub(super) fn new(order: SortOrder, after: Option<Rank>, most: usize) -> Self {
        Self { order, after, most: most.max(1), kept: BinaryHeap::new() }
    }

    /// Offers a row; false when it, and thus every later one, is not among the first.
    #[inline]
    pub(super) fn offer(&mut self, key: u64, found: Found) -> bool {
        let rank = rank(self.order, key, found.id);
        if self.after.is_some_and(|after| rank <= after) {
            return true;
        }
        if self.kept.len() < self.most {
            self.kept.push(Ranked { rank, found });
            return true;
        }
        match self.kept.peek_mut() {
            Some(mut last) if rank < last.rank => {
                *last = Ranked { rank, found };
                true
            }
            _ => false,
        }
    }

    /// Whether a row with that key may be among the first.
    #[inline]
    pub(super) fn may_take(&self, key: u64) -> bool {
        let (key, _) = rank(self.order, key, FlowId::default());
        self.kept.len() < self.most || self.kept.peek().is_some_and(|last| key <= last.rank.0)
    }

    /// Whether rows before that place need not be offered.
    pub(super) const fn begins_later(&self) -> bool {
        self.after.is_some()
    }

    /// The rows in order.
    pub(super) fn into_sorted(self) -> Vec<Ranked> {
        self.kept.into_sorted_vec()
    }
}
