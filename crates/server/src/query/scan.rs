//! Going through the rows that a question is about.

use std::sync::Arc;

use netwatch_api::flow::{FlowSort, FlowStatus, SortOrder};
use netwatch_model::filter::Filter;

use super::desk::Desk;
use super::page::Best;
use super::range::Span;
use crate::store::{CHUNK_ROWS, Chunk, Found, Head, Place, Row, RowSet, Segment, View, Volume, key_of};

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
    pub(super) fn unsealed(&self, mut to: impl FnMut(Place, &'a Head, &'a Volume)) {
        if self.status != FlowStatus::Ended {
            self.chunks(self.view.live(), Place::Live, &mut to);
        }
        if self.status != FlowStatus::Active {
            let number = self.view.archive().open_number;
            self.chunks(&self.view.archive().open, |row| Place::Ended(number, row), &mut to);
        }
    }

    fn chunks(
        &self,
        chunks: &'a [Chunk],
        place: impl Fn(u32) -> Place,
        to: &mut impl FnMut(Place, &'a Head, &'a Volume),
    ) {
        let words = self.view.words();
        for (at, chunk) in chunks.iter().enumerate() {
            for (row, head, volume) in chunk.rows() {
                let fits = |f: &Filter| f.matches(&Row { head, volume, words });
                if self.span.meets(volume.start, volume.end) && self.filter.is_none_or(fits) {
                    to(place(u32::try_from(at * CHUNK_ROWS + row).unwrap_or(u32::MAX)), head, volume);
                }
            }
        }
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
        let mut matched = 0;
        self.unsealed(|place, head, volume| {
            matched += 1;
            best.offer(key_of(sort, volume), Found { id: head.id, place });
        });
        for segment in self.segments() {
            let picked = self.pick(segment);
            let count = match &picked {
                Picked::None => continue,
                Picked::All => segment.rows(),
                Picked::Some(rows) => rows.len(),
            };
            matched += count as u64;
            rank_segment(segment, &picked, count, sort, best, order);
        }
        matched
    }
}

/// Offers the rows of a segment: the first in the order while they are among the best, then, if need be, all.
fn rank_segment(segment: &Segment, picked: &Picked, count: usize, sort: FlowSort, best: &mut Best, order: SortOrder) {
    let wanted = |row: usize| match picked {
        Picked::None => false,
        Picked::All => true,
        Picked::Some(rows) => rows.contains(row),
    };
    let offer = |best: &mut Best, row: usize| {
        let place = Place::Ended(segment.number(), u32::try_from(row).unwrap_or(u32::MAX));
        best.offer(segment.key(sort, row), Found { id: segment.id(row), place })
    };
    let first = segment.first(sort, order);
    // Few rows, or a place deep in the order: the remembered first rows would not help.
    if !best.begins_later() && count * 4 > first.len() {
        for row in first.iter().map(|row| usize::from(*row)).filter(|row| wanted(*row)) {
            if !offer(best, row) {
                return;
            }
        }
        if first.len() == segment.rows() {
            return;
        }
        let done: Vec<bool> = done(segment.rows(), first);
        for row in (0..segment.rows()).filter(|row| wanted(*row) && !done.get(*row).copied().unwrap_or(false)) {
            offer(best, row);
        }
        return;
    }
    match picked {
        Picked::Some(rows) => rows.iter().for_each(|row| _ = offer(best, row)),
        _ => (0..segment.rows()).for_each(|row| _ = offer(best, row)),
    }
}

fn done(rows: usize, first: &[u16]) -> Vec<bool> {
    let mut done = vec![false; rows];
    for row in first {
        if let Some(flag) = done.get_mut(usize::from(*row)) {
            *flag = true;
        }
    }
    done
}
