//! The orders of flows: what they are sorted by, as a number, and the first rows of a segment in each order.

use std::cmp::Reverse;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU16, Ordering};

use netwatch_api::flow::{FlowSort, SortOrder};
use netwatch_model::{FlowId, Timestamp};

use super::Segment;
use crate::store::view::{Found, Place};

/// Rows of each order that a segment remembers.
const ROWS: usize = 1024;
/// Five columns, two directions.
const ORDERS: usize = 10;

const NANOS: u64 = 1_000_000_000;

/// A time as a number with the same order.
pub(crate) const fn ordered_time(time: Timestamp) -> u64 {
    time.nanos() as u64 ^ (1 << 63)
}

/// The time of that number.
pub(super) const fn time_of(n: u64) -> Timestamp {
    Timestamp::from_nanos((n ^ (1 << 63)) as i64)
}

fn duration(start: Timestamp, end: Timestamp) -> u64 {
    u64::try_from(end.since(start).as_nanos()).unwrap_or(u64::MAX)
}

/// Octets a second, over one second at least.
pub(crate) fn rate(octets: u64, nanos: u64) -> u64 {
    let nanos = nanos.max(NANOS);
    match octets.checked_mul(NANOS) {
        Some(scaled) => scaled / nanos,
        None => u64::try_from(u128::from(octets) * u128::from(NANOS) / u128::from(nanos)).unwrap_or(u64::MAX),
    }
}

/// Rows that can be put in order.
pub(crate) trait Block {
    /// How many.
    fn rows(&self) -> usize;
    /// What a row is sorted by.
    fn key(&self, sort: FlowSort, row: usize) -> u64;
    /// The row, to be found again.
    fn found(&self, row: usize) -> Found;
    /// The first rows in an order (equal keys by id): all of them, or [`ROWS`].
    fn first(&self, sort: FlowSort, order: SortOrder) -> &[u32];
}

/// The first rows of a block in each order, each found when it is first asked for.
#[derive(Debug, Default)]
pub(crate) struct Orders {
    found: [OnceLock<Box<[u32]>>; ORDERS],
    /// Bit `n`: order `n` was asked for.
    asked: AtomicU16,
}

impl Orders {
    /// The first rows in an order.
    pub(crate) fn first(&self, block: &impl Block, sort: FlowSort, order: SortOrder) -> &[u32] {
        self.asked.fetch_or(1 << number(sort, order), Ordering::Relaxed);
        self.find(block, sort, order)
    }

    /// Finds those that were asked of older ones.
    pub(crate) fn prepare(&self, block: &impl Block, older: &Self) {
        let asked = older.asked.load(Ordering::Relaxed);
        let sorts = [FlowSort::Bytes, FlowSort::Packets, FlowSort::Duration, FlowSort::Rate, FlowSort::Start];
        for sort in sorts {
            for order in [SortOrder::Desc, SortOrder::Asc] {
                if asked >> number(sort, order) & 1 == 1 {
                    self.find(block, sort, order);
                }
            }
        }
    }

    fn find(&self, block: &impl Block, sort: FlowSort, order: SortOrder) -> &[u32] {
        let Some(place) = self.found.get(number(sort, order)) else { return &[] };
        place.get_or_init(|| match order {
            SortOrder::Desc => sorted(block, sort, Reverse),
            SortOrder::Asc => sorted(block, sort, |key| key),
        })
    }

    /// Memory, when all orders were asked for.
    pub(super) const fn bytes(rows: usize) -> usize {
        ORDERS * size_of::<u32>() * if rows < ROWS { rows } else { ROWS }
    }
}

const fn number(sort: FlowSort, order: SortOrder) -> usize {
    sort as usize * 2 + order as usize
}

fn sorted<K: Ord>(block: &impl Block, sort: FlowSort, by: impl Fn((u64, FlowId)) -> K) -> Box<[u32]> {
    let mut keys: Vec<(u64, u32)> =
        (0..block.rows()).map(|row| (block.key(sort, row), u32::try_from(row).unwrap_or(u32::MAX))).collect();
    let full = |(key, row): &(u64, u32)| by((*key, block.found(*row as usize).id));
    // The key decides nearly always; the id is looked up when it does not.
    let quick = |key: u64| by((key, FlowId::default()));
    let compare = |a: &(u64, u32), b: &(u64, u32)| {
        if a.0 == b.0 { full(a).cmp(&full(b)) } else { quick(a.0).cmp(&quick(b.0)) }
    };
    if keys.len() > ROWS {
        keys.select_nth_unstable_by(ROWS - 1, compare);
        keys.truncate(ROWS);
    }
    keys.sort_unstable_by(compare);
    keys.into_iter().map(|(_, row)| row).collect()
}

impl Block for Segment {
    fn rows(&self) -> usize {
        self.rows
    }

    fn key(&self, sort: FlowSort, row: usize) -> u64 {
        match sort {
            FlowSort::Bytes => self.octets(row),
            FlowSort::Packets => self.packets(row),
            FlowSort::Duration => duration(self.start(row), self.end(row)),
            FlowSort::Rate => rate(self.octets(row), duration(self.start(row), self.end(row))),
            FlowSort::Start => ordered_time(self.start(row)),
        }
    }

    fn found(&self, row: usize) -> Found {
        Found { id: self.id(row), place: Place::Ended(self.number, u32::try_from(row).unwrap_or(u32::MAX)) }
    }

    fn first(&self, sort: FlowSort, order: SortOrder) -> &[u32] {
        self.orders.first(self, sort, order)
    }
}
