//! Reading a log in order, while it is written.

use std::time::Duration;

use netwatch_model::{Position, Timestamp};

use crate::driver::Spool;
use crate::files::File;
use crate::gap::{Gap, GapReason};
use crate::scan::{Cursor, Step};
use crate::segment::Name;
use crate::state::{Place, Segment};

/// Reads durable records from a position on.
#[derive(Debug)]
pub struct Reader {
    spool: Spool,
    next: Position,
    open: Option<Open>,
    payload: Vec<u8>,
}

/// What comes next.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Item<'a> {
    /// A record.
    Record {
        /// Its place.
        position: Position,
        /// The first position of its segment.
        segment: Position,
        /// When it was appended.
        time: Timestamp,
        /// Its bytes.
        payload: &'a [u8],
    },
    /// Records that are gone.
    Gap(Gap),
}

#[derive(Debug)]
struct Open {
    name: Name,
    file: Box<dyn File>,
    cursor: Cursor,
}

/// What one look at a segment gave.
enum Look {
    Record(Position, Timestamp),
    Gap(Gap),
    /// Nothing for now, or nothing more in this segment.
    Nothing,
}

impl Reader {
    pub(crate) const fn new(spool: Spool, from: Position) -> Self {
        Self { spool, next: from, open: None, payload: Vec::new() }
    }

    /// The position from which it reads on.
    #[must_use]
    pub const fn position(&self) -> Position {
        self.next
    }

    /// Reads on from there.
    pub fn seek(&mut self, position: Position) {
        self.next = position;
    }

    /// Waits for a record; false when there is none within `timeout`.
    #[must_use]
    pub fn wait(&self, timeout: Duration) -> bool {
        self.spool.wait(self.next, timeout)
    }

    /// What comes next; none when everything durable was read. A segment that cannot be read is a gap.
    #[expect(clippy::should_implement_trait, reason = "what it lends lives until the next call")]
    pub fn next(&mut self) -> Option<Item<'_>> {
        loop {
            match self.spool.locate(self.next) {
                Place::Ahead => return None,
                Place::Before { first, gone } => {
                    let from = std::mem::replace(&mut self.next, first);
                    if let Some(last) = gone {
                        return Some(Item::Gap(self.gone(from, last)));
                    }
                }
                Place::In(segment) => match self.look(&segment) {
                    Look::Record(position, time) => {
                        self.next = position.next();
                        let segment = segment.name.first;
                        return Some(Item::Record { position, segment, time, payload: &self.payload });
                    }
                    Look::Gap(gap) => {
                        self.next = gap.last.next();
                        return Some(Item::Gap(gap));
                    }
                    Look::Nothing => self.next = segment.durable.0,
                },
            }
        }
    }

    /// The next record of a segment that has one.
    fn look(&mut self, segment: &Segment) -> Look {
        let wanted = self.next;
        let mut cursor = self.open.as_ref().filter(|open| open.name == segment.name).map(|open| open.cursor.clone());
        if cursor.as_ref().is_none_or(|cursor| cursor.next() > wanted) {
            let Ok(file) = self.spool.open_segment(segment.name) else { return self.lost(segment, segment.durable.0) };
            let fresh = Cursor::new(segment.name);
            self.open = Some(Open { name: segment.name, file, cursor: fresh.clone() });
            cursor = Some(fresh);
        }
        let (Some(open), Some(mut cursor)) = (self.open.as_mut(), cursor) else { return Look::Nothing };
        loop {
            let step = cursor.step(&*open.file, segment.durable.1, wanted, &mut self.payload);
            open.cursor = cursor.clone();
            match step {
                Ok(Step::Record { position, time }) if position >= wanted => {
                    return Look::Record(position, time);
                }
                Ok(Step::Damaged { .. }) if cursor.next() > wanted => {
                    let end = cursor.next();
                    return self.lost(segment, end);
                }
                Ok(Step::Record { .. } | Step::Damaged { .. }) => {}
                Ok(Step::End { .. }) | Err(_) => return self.lost(segment, segment.durable.0),
            }
        }
    }

    /// Records from here up to before `end` are damaged or missing.
    fn lost(&self, segment: &Segment, end: Position) -> Look {
        if end <= self.next {
            return Look::Nothing;
        }
        Look::Gap(self.spool.note_damage(segment, self.next, end.before()))
    }

    /// Records that went before they were read.
    fn gone(&self, first: Position, last: Position) -> Gap {
        let gaps = self.spool.gaps();
        let known = gaps.iter().rev().find(|gap| gap.first <= last && first <= gap.last);
        let (reason, from, to) =
            known.map_or((GapReason::Full, Timestamp::ZERO, Timestamp::ZERO), |gap| (gap.reason, gap.from, gap.to));
        Gap { reason, first, last, from, to, records: last.next().since(first) }
    }
}
