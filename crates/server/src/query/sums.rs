//! Sums of the flows that a filter selects, by dimension.
//!
//! A flow that lies in the range as a whole counts with all it carried, one that reaches beyond it with what its history tells for the
//! seconds within. Sealed segments that lie in the range as a whole are summed once and remembered.
//!
//! Inner flows of tunnels are left out unless the filter asks for tunnels: their octets are part of outer flows.

use std::sync::Arc;

use netwatch_api::traffic::Dimension;
use netwatch_model::filter::Filter;

use super::scan::{Picked, Scan};
use crate::store::{Block as _, Carried, Crossing, Head, Key, Segment, Subjects, Table, Tally, Volume};

/// Sums by key, and of everything.
#[derive(Clone, Debug, Default)]
pub(super) struct Sums {
    pub(super) table: Table,
    pub(super) total: Tally,
}

impl Sums {
    fn merge(&mut self, other: &Self) {
        self.total.add(&other.total);
        self.table.merge(&other.table);
    }

    fn bytes(&self) -> usize {
        size_of::<Self>() + self.table.iter().count() * size_of::<(Key, Tally)>() * 2
    }
}

/// Sums over flows.
#[derive(Debug)]
pub(super) struct Summing<'a> {
    pub(super) scan: Scan<'a>,
    by: Dimension,
    inner: bool,
}

impl<'a> Summing<'a> {
    /// Sums of what the scan finds; of inner flows only if its filter names them, or `inner` is set.
    pub(super) fn new(scan: Scan<'a>, by: Dimension, inner: bool) -> Self {
        let inner = inner || scan.filter.is_some_and(Filter::uses_tunnel);
        Self { scan, by, inner }
    }

    /// All sums.
    pub(super) fn sums(&self) -> Sums {
        let mut sums = Sums::default();
        self.scan.unsealed(|head, volume| self.add(head, volume, &mut sums));
        for segment in self.scan.segments() {
            let zone = segment.zone();
            if self.scan.span.covers(zone.first_start, zone.last_end) {
                let question: Arc<str> = format!("{:?} {} {}", self.by, self.inner, self.scan.question).into();
                let whole = self.scan.desk.sums.get(segment.number(), &question, || {
                    let whole = self.segment(segment);
                    let bytes = whole.bytes();
                    (whole, bytes)
                });
                sums.merge(&whole);
            } else {
                sums.merge(&self.segment(segment));
            }
        }
        sums
    }

    /// Tells each row that counts.
    pub(super) fn rows(&self, mut to: impl FnMut(&Head, &Volume)) {
        self.scan.unsealed(|head, volume| {
            if self.counts(head) {
                to(head, volume);
            }
        });
        for segment in self.scan.segments() {
            self.segment_rows(segment, &mut to);
        }
    }

    fn segment(&self, segment: &Segment) -> Sums {
        let mut sums = Sums::default();
        self.segment_rows(segment, &mut |head, volume| self.add(head, volume, &mut sums));
        sums
    }

    fn segment_rows(&self, segment: &Segment, to: &mut impl FnMut(&Head, &Volume)) {
        let mut tell = |row: usize| {
            let head = segment.head(row);
            if self.counts(&head) {
                to(&head, &segment.volume(row));
            }
        };
        match self.scan.pick(segment) {
            Picked::None => {}
            Picked::All => (0..segment.rows()).for_each(&mut tell),
            Picked::Some(rows) => rows.iter().for_each(&mut tell),
        }
    }

    const fn counts(&self, head: &Head) -> bool {
        self.inner || head.tunnel.is_none()
    }

    fn add(&self, head: &Head, volume: &Volume, sums: &mut Sums) {
        if !self.counts(head) {
            return;
        }
        let carried = self.within(volume);
        if carried == Carried::default() {
            return;
        }
        let [octets, packets] = [carried.octets, carried.packets].map(|n| n[0].saturating_add(n[1]));
        let [ways, _] = ways(volume, &carried);
        let tally = Tally { octets, packets, ways, fresh: 1, active: [1; 3] };
        sums.total.add(&tally);
        let subjects = Subjects::of(head, self.scan.view.words());
        subjects.tell(self.by, &tally, &carried, |key, tally| sums.table.add(key, &tally));
    }

    /// What a flow carried in the range.
    fn within(&self, volume: &Volume) -> Carried {
        if self.scan.span.covers(volume.start, volume.end) {
            return Carried::all_of(volume);
        }
        let mut sum = Carried::default();
        let (from, to) = (self.scan.span.from.secs(), self.scan.span.end_second());
        self.scan.view.history().of(volume, |stretch| sum = sum.plus(stretch.within(from, to)));
        sum
    }
}

/// Octets and packets of `carried` that came in and went out of the interface.
pub(super) fn ways(volume: &Volume, carried: &Carried) -> [[u64; 2]; 2] {
    let crossing = volume.crossing();
    let split = |[forward, reverse]: [u64; 2]| {
        if let Some(ways) = crossing.octets(forward, reverse).filter(|_| crossing != Crossing::Mixed) {
            return ways;
        }
        // In the proportion of the flow as a whole.
        let all = volume.octets().max(1);
        let sum = forward.saturating_add(reverse);
        let part = |n: u64| u64::try_from(u128::from(sum) * u128::from(n) / u128::from(all)).unwrap_or(u64::MAX);
        volume.interface_octets().map(part)
    };
    [split(carried.octets), split(carried.packets)]
}
