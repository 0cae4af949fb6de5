//! The orders of flows: what they are sorted by, as a number, and the first rows of a segment in each order.

use std::cmp::Reverse;

use netwatch_api::flow::{FlowSort, SortOrder};
use netwatch_model::{FlowId, Timestamp};

use super::Segment;
use crate::store::row::Volume;

/// Rows of each order that a segment remembers.
pub(super) const ROWS: usize = 1024;
/// Five columns, two directions.
pub(super) const ORDERS: usize = 10;

const NANOS: u64 = 1_000_000_000;

/// A time as a number with the same order.
pub(super) const fn ordered_time(time: Timestamp) -> u64 {
    time.nanos() as u64 ^ (1 << 63)
}

/// The time of that number.
pub(super) const fn time_of(n: u64) -> Timestamp {
    Timestamp::from_nanos((n ^ (1 << 63)) as i64)
}

/// What a live row is sorted by.
pub(crate) fn key_of(sort: FlowSort, volume: &Volume) -> u64 {
    match sort {
        FlowSort::Bytes => volume.octets(),
        FlowSort::Packets => volume.packets(),
        FlowSort::Duration => duration(volume.start, volume.end),
        FlowSort::Rate => rate(volume.octets(), duration(volume.start, volume.end)),
        FlowSort::Start => ordered_time(volume.start),
    }
}

fn duration(start: Timestamp, end: Timestamp) -> u64 {
    u64::try_from(end.since(start).as_nanos()).unwrap_or(u64::MAX)
}

/// Octets a second, over one second at least.
fn rate(octets: u64, nanos: u64) -> u64 {
    let nanos = nanos.max(NANOS);
    match octets.checked_mul(NANOS) {
        Some(scaled) => scaled / nanos,
        None => u64::try_from(u128::from(octets) * u128::from(NANOS) / u128::from(nanos)).unwrap_or(u64::MAX),
    }
}

impl Segment {
    /// What a row is sorted by.
    pub(crate) fn key(&self, sort: FlowSort, row: usize) -> u64 {
        match sort {
            FlowSort::Bytes => self.octets(row),
            FlowSort::Packets => self.packets(row),
            FlowSort::Duration => duration(self.start(row), self.end(row)),
            FlowSort::Rate => rate(self.octets(row), duration(self.start(row), self.end(row))),
            FlowSort::Start => ordered_time(self.start(row)),
        }
    }

    /// The first rows in an order (equal keys by id): all of them, or [`ROWS`].
    pub(crate) fn first(&self, sort: FlowSort, order: SortOrder) -> &[u16] {
        let number = sort as usize * 2 + order as usize;
        let Some(place) = self.orders.get(number) else { return &[] };
        place.get_or_init(|| match order {
            SortOrder::Desc => self.sorted(sort, Reverse),
            SortOrder::Asc => self.sorted(sort, |key| key),
        })
    }

    fn sorted<K: Ord>(&self, sort: FlowSort, by: impl Fn((u64, FlowId)) -> K) -> Box<[u16]> {
        let mut keys: Vec<(u64, u16)> =
            (0..self.rows).map(|row| (self.key(sort, row), u16::try_from(row).unwrap_or(u16::MAX))).collect();
        let full = |(key, row): &(u64, u16)| by((*key, self.id((*row).into())));
        if keys.len() > ROWS {
            keys.select_nth_unstable_by(ROWS - 1, |a, b| full(a).cmp(&full(b)));
            keys.truncate(ROWS);
        }
        keys.sort_unstable_by(|a, b| full(a).cmp(&full(b)));
        keys.into_iter().map(|(_, row)| row).collect()
    }
}
