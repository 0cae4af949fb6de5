//! Going through the rows that a question is about.

use std::sync::Arc;

use netwatch_api::flow::{FlowSort, FlowStatus, SortOrder};
use netwatch_model::Timestamp;
use netwatch_model::filter::Filter;

use super::desk::Desk;
use super::hints;
use super::page::Best;
use super::range::Span;
use crate::store::{Block, Head, Index, Row, RowSet, Segment, View, Volume, short_second};

/// With fewer rows than that, all are offered.
const FEW: usize = 256;

/// Which rows.
#[derive(Debug)]
pub(super) struct Scan<'a> {
    pub(super) view: &'a View,
    pub(super) desk: &'a Desk,
    pub(super) span: Span,
    pub(super) status: FlowStatus,
    pub(super) filter: Option<&'a Filter>,
    /// The filter's canonical text, by which finds are remembered.
    pub(super) question: Arc<str>,
}

/// The rows of a segment that a question is about.
#[derive(Debug)]
pub(super) enum Picked {
    /// None.
    None,
    /// All of them.
    All,
    /// These.
    Some(Arc<RowSet>),
}

impl<'a> Scan<'a> {
    pub(super) fn new(view: &'a View, desk: &'a Desk, span: Span, filter: Option<&'a Filter>) -> Self {
        let question = filter.map_or_else(|| Arc::from(""), |f| Arc::from(f.to_string()));
        let span = Span { from: span.from.max(view.horizon()), to: span.to };
        Self { view, desk, span, status: FlowStatus::All, filter, question }
    }

    /// Each row that is not sealed.
    pub(super) fn unsealed(&self, mut to: impl FnMut(&'a Head, &'a Volume)) {
        let index = self.view.index();
        for (head, volume) in self.pick_unsealed().iter().filter_map(|row| index.row(row)) {
            to(head, volume);
        }
    }

    /// The rows that are not sealed.
    fn pick_unsealed(&self) -> RowSet {
        let index = self.view.index();
        let mut rows = RowSet::all(index.rows());
        match self.status {
            FlowStatus::All => {}
            FlowStatus::Active => rows.remove_from(index.live_rows()),
            FlowStatus::Ended => rows.remove_below(index.live_rows()),
        }
        let in_time = self.narrow_time(index, &mut rows);
        let words = self.view.words();
        let fits = self.filter.is_none_or(|filter| hints::narrow(filter, index, words, &mut rows));
        if !(in_time && fits) {
            let matches = |head, volume| fits || self.filter.is_none_or(|f| f.matches(&Row { head, volume, words }));
            rows.retain(|row| index.row(row).is_some_and(|(h, v)| self.span.meets(v.start, v.end) && matches(h, v)));
        }
        rows
    }

    /// Keeps the rows that may meet the span; tells whether those that are left surely do.
    fn narrow_time(&self, index: &Index, rows: &mut RowSet) -> bool {
        let Span { from, to } = self.span;
        if index.common.is_none_or(|[end, start]| end >= from && start < to) {
            return true;
        }
        let (first, last) = (short_second(from), short_second(to));
        rows.retain_where(&index.times, |[start, end]| (*end >= first) & (*start <= last));
        // Rows that begin or end in the very second in which the span does are asked for their nanoseconds.
        let whole = |time: Timestamp| time.nanos().rem_euclid(1_000_000_000) == 0;
        let sure = |[start, end]: &[u32; 2]| (*end > first || whole(from)) && (*start < last || to == Timestamp::MAX);
        rows.iter().all(|row| index.times.get(row).is_some_and(sure))
    }

    /// Sealed segments that may have rows.
    pub(super) fn segments(&self) -> impl Iterator<Item = &'a Arc<Segment>> {
        let (span, wanted) = (self.span, self.status != FlowStatus::Active);
        let met = move |s: &&Arc<Segment>| wanted && span.meets(s.zone().first_start, s.zone().last_end);
        self.view.archive().segments.iter().filter(met)
    }

    /// The rows of a segment.
    pub(super) fn pick(&self, segment: &Segment) -> Picked {
        let zone = segment.zone();
        let whole = zone.first_end >= self.span.from && zone.last_start < self.span.to;
        let found = self.filter.map(|filter| {
            self.desk.rows.get(segment.number(), &self.question, || {
                let rows = segment.select(filter, self.view.words());
                let bytes = rows.bytes();
                (rows, bytes)
            })
        });
        match found {
            Some(rows) if rows.is_empty() => Picked::None,
            Some(rows) if whole => Picked::Some(rows),
            None if whole => Picked::All,
            found => {
                let mut rows = found.map_or_else(|| RowSet::all(segment.rows()), |rows| (*rows).clone());
                rows.retain(|row| self.span.meets(segment.start(row), segment.end(row)));
                Picked::Some(Arc::new(rows))
            }
        }
    }

    /// Offers all rows to `best`; tells how many there are.
    pub(super) fn rank(&self, sort: FlowSort, best: &mut Best, order: SortOrder) -> u64 {
        let unsealed = Picked::Some(Arc::new(self.pick_unsealed()));
        let mut matched = rank_block(self.view.index(), &unsealed, sort, best, order);
        for segment in self.segments() {
            matched += rank_block(&**segment, &self.pick(segment), sort, best, order);
        }
        matched
    }
}

/// Offers the rows of a block: the first in the order while they are among the best, then, if need be, all. Tells how many there are.
fn rank_block(block: &impl Block, picked: &Picked, sort: FlowSort, best: &mut Best, order: SortOrder) -> u64 {
    let count = match picked {
        Picked::None => return 0,
        Picked::All => block.rows(),
        Picked::Some(rows) => rows.len(),
    };
    let wanted = |row: usize| match picked {
        Picked::None => false,
        Picked::All => true,
        Picked::Some(rows) => rows.contains(row),
    };
    let mut done = RowSet::none(0);
    // Few rows, or a place deep in the order: the remembered first rows would not help.
    if !best.begins_later() && count > FEW {
        let first = block.first(sort, order);
        for row in first.iter().map(|row| *row as usize).filter(|row| wanted(*row)) {
            if !best.offer(block.key(sort, row), block.found(row)) {
                return count as u64;
            }
        }
        if first.len() == block.rows() {
            return count as u64;
        }
        done = RowSet::none(block.rows());
        first.iter().for_each(|row| done.insert(*row as usize));
    }
    let mut offer = |row: usize| {
        let key = block.key(sort, row);
        if best.may_take(key) && !done.contains(row) {
            best.offer(key, block.found(row));
        }
    };
    match picked {
        Picked::Some(rows) => rows.iter().for_each(&mut offer),
        _ => (0..block.rows()).for_each(&mut offer),
    }
    count as u64
}
