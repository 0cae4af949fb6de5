//! What a log holds and what must go: the decisions, without a file or a clock.
//!
//! ```text
//! segments, oldest first     1…40  41…77  78…          next
//!                            └─all consumers have it─┘  └ durable up to here are acknowledged and may be read
//! ```
//!
//! The newest segment may be *active*: then its end grows. Only an active segment holds records that are not durable yet.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use netwatch_model::{Position, Timestamp};

use crate::config::{Config, WhenFull};
use crate::gap::{Gap, GapReason, Gaps};
use crate::segment::{HEADER, Header, Name};

/// A segment, as it is known without reading it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Segment {
    pub(crate) name: Name,
    /// One after the last durable record before it.
    pub(crate) expected: Position,
    /// One after its last record.
    pub(crate) end: Position,
    /// Bytes of the file.
    pub(crate) bytes: u64,
    /// One after its last durable record, and where that ends.
    pub(crate) durable: (Position, u64),
    /// When it was begun, and when the newest record was appended.
    pub(crate) times: (Timestamp, Timestamp),
    /// Whether records may still be appended.
    pub(crate) is_active: bool,
}

/// What a log holds.
#[derive(Debug)]
pub(crate) struct State {
    pub(crate) config: Config,
    pub(crate) segments: VecDeque<Segment>,
    /// The position of the next record.
    pub(crate) next: Position,
    /// One after the last record that was ever durable.
    pub(crate) durable_end: Position,
    /// The first position that each consumer needs.
    pub(crate) consumers: BTreeMap<&'static str, Position>,
    pub(crate) gaps: Gaps,
    pub(crate) counts: Counts,
}

/// Sums since the log was opened.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) struct Counts {
    pub(crate) appended: u64,
    pub(crate) appended_bytes: u64,
    pub(crate) acknowledged: u64,
    pub(crate) refused: u64,
    pub(crate) dropped: u64,
    pub(crate) damaged: u64,
    pub(crate) failed_syncs: u64,
}

/// A segment that goes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Removal {
    pub(crate) name: Name,
    /// What is lost by it.
    pub(crate) gap: Option<Gap>,
}

/// Whether a record fits.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Room {
    Fits,
    /// When that has gone, ask again.
    After(Removal),
    None,
}

/// A log in numbers, at one moment.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Statistics {
    /// Bytes of all segments.
    pub bytes: u64,
    /// Segments.
    pub segments: u64,
    /// The position of the oldest record that is there, and when its segment was begun.
    pub oldest: Option<(Position, Timestamp)>,
    /// The position that the next record gets.
    pub next: Position,
    /// All records before it are durable, or refused.
    pub durable: Position,
    /// Records appended since the log was opened.
    pub appended: u64,
    /// Their bytes, heads included.
    pub appended_bytes: u64,
    /// Records made durable.
    pub acknowledged: u64,
    /// Records refused: no space, the cap, a failed sync.
    pub refused: u64,
    /// Records that had to go although somebody needed them.
    pub dropped: u64,
    /// Records found damaged or missing.
    pub damaged: u64,
    /// Syncs that failed.
    pub failed_syncs: u64,
    /// Records that the slowest consumer still needs.
    pub backlog: u64,
}

impl State {
    /// All records before it are durable, or refused.
    pub(crate) fn durable(&self) -> Position {
        match self.segments.back() {
            Some(segment) if segment.is_active => segment.durable.0,
            _ => self.next,
        }
    }

    /// The next position is given to no record.
    pub(crate) const fn leave_out(&mut self) {
        self.next = self.next.next();
    }

    /// The next record, in a segment of its own, gets a position beyond that one. Everything written is durable.
    pub(crate) fn jump(&mut self, beyond: Position) {
        if let Some(active) = self.active_mut() {
            active.is_active = false;
        }
        self.next = self.next.max(beyond.next());
    }

    pub(crate) fn active(&self) -> Option<&Segment> {
        self.segments.back().filter(|segment| segment.is_active)
    }

    pub(crate) fn active_mut(&mut self) -> Option<&mut Segment> {
        self.segments.back_mut().filter(|segment| segment.is_active)
    }

    /// A new segment, empty and durable, which is the active one from now on.
    pub(crate) fn begin(&mut self, header: &Header) {
        let (first, bytes) = (header.name.first, HEADER as u64);
        self.segments.push_back(Segment {
            name: header.name,
            expected: header.expected,
            end: first,
            bytes,
            durable: (first, bytes),
            times: (header.created, header.created),
            is_active: true,
        });
    }

    /// A record of so many bytes was written into the active segment; its position.
    pub(crate) fn written(&mut self, bytes: u64, now: Timestamp) -> Position {
        let position = self.next;
        self.next = position.next();
        let next = self.next;
        if let Some(active) = self.active_mut() {
            active.end = next;
            active.bytes += bytes;
            active.times.1 = now;
        }
        self.counts.appended += 1;
        self.counts.appended_bytes += bytes;
        position
    }

    /// Everything up to there is durable. A segment that is long enough, or old enough, ends with that.
    pub(crate) fn synced(&mut self, end: Position, bytes: u64, now: Timestamp) {
        let (length, age) = (self.config.segment_bytes, self.config.max_age.min(self.config.keep_age.max(MIN_AGE)) / 8);
        let Some(active) = self.active_mut() else { return };
        let acknowledged = end.since(active.durable.0);
        active.durable = (end, bytes);
        let is_closing =
            active.end == end && end > active.name.first && (bytes >= length || now.since(active.times.0) >= age);
        active.is_active = !is_closing;
        self.durable_end = self.durable_end.max(end);
        self.counts.acknowledged += acknowledged;
    }

    /// The active segment failed: what is not durable in it is refused. Returns the segment, and whether nothing is left of it.
    pub(crate) fn abandon(&mut self) -> Option<(Segment, bool)> {
        let active = self.segments.back_mut().filter(|segment| segment.is_active)?;
        self.counts.refused += active.end.since(active.durable.0);
        active.is_active = false;
        (active.end, active.bytes) = active.durable;
        let failed = *active;
        let is_empty = failed.end == failed.name.first;
        if is_empty {
            self.segments.pop_back();
        }
        Some((failed, is_empty))
    }

    /// What goes next so that `incoming` bytes more fit, or because it is too old.
    pub(crate) fn room(&self, incoming: u64, now: Timestamp) -> Room {
        if let Some(removal) = self.expired(now) {
            return Room::After(removal);
        }
        if self.bytes() + incoming <= self.config.max_bytes {
            return Room::Fits;
        }
        self.oldest(GapReason::Full).map_or(Room::None, Room::After)
    }

    /// The oldest segment, when it is too old, or had by all consumers and beyond what is kept for reading again.
    pub(crate) fn expired(&self, now: Timestamp) -> Option<Removal> {
        let oldest = self.segments.front()?;
        let age = if oldest.times.1 < PLAUSIBLE { Duration::ZERO } else { now.since(oldest.times.1) };
        let is_spent = self.is_spent(oldest) && (self.bytes() > self.config.keep_bytes || age > self.config.keep_age);
        if is_spent || age > self.config.max_age { self.oldest(GapReason::Age) } else { None }
    }

    /// The oldest segment, if it may go at all.
    pub(crate) fn oldest(&self, reason: GapReason) -> Option<Removal> {
        let oldest = self.segments.front().filter(|oldest| !oldest.is_active)?;
        if !self.is_spent(oldest) && self.config.when_full == WhenFull::Refuse {
            return None;
        }
        let first = self.needed_from().clamp(oldest.name.first, oldest.end);
        let records = oldest.end.since(first);
        let (from, to) = oldest.times;
        let gap = (records > 0).then(|| Gap { reason, first, last: oldest.end.before(), from, to, records });
        Some(Removal { name: oldest.name, gap })
    }

    /// The oldest segment is gone.
    pub(crate) fn removed(&mut self, removal: Removal) {
        self.segments.pop_front_if(|oldest| oldest.name == removal.name);
        if let Some(gap) = removal.gap {
            self.counts.dropped += gap.records;
            self.gaps.note(gap);
        }
    }

    /// The first position that some consumer needs. Without consumers everything is needed.
    pub(crate) fn needed_from(&self) -> Position {
        self.consumers.values().copied().min().unwrap_or_default()
    }

    /// Where a position is to be read.
    pub(crate) fn locate(&self, position: Position) -> Place {
        if position >= self.durable() {
            return Place::Ahead;
        }
        let at = self.segments.partition_point(|segment| segment.end <= position);
        let Some(segment) = self.segments.get(at) else {
            // Only what is known to be lost ends behind the newest segment.
            let gap = self.gaps.all().iter().find(|gap| gap.first <= position && position <= gap.last);
            return gap.map_or(Place::Ahead, |gap| Place::Before { first: gap.last.next(), gone: Some(gap.last) });
        };
        if segment.name.first <= position {
            return Place::In(*segment);
        }
        // Up to what the segment expects before itself there were records; what lies between was refused.
        let gone = (Position::FIRST <= position && position < segment.expected).then(|| segment.expected.before());
        Place::Before { first: segment.name.first, gone }
    }

    /// Notes that records are damaged; the gap when that is new.
    pub(crate) fn note_damage(&mut self, gap: Gap) -> bool {
        let is_new = self.gaps.note(gap);
        if is_new {
            self.counts.damaged += gap.records;
        }
        is_new
    }

    pub(crate) fn statistics(&self) -> Statistics {
        let counts = self.counts;
        Statistics {
            bytes: self.bytes(),
            segments: self.segments.len() as u64,
            oldest: self.segments.front().filter(|s| s.end > s.name.first).map(|s| (s.name.first, s.times.0)),
            next: self.next,
            durable: self.durable(),
            appended: counts.appended,
            appended_bytes: counts.appended_bytes,
            acknowledged: counts.acknowledged,
            refused: counts.refused,
            dropped: counts.dropped,
            damaged: counts.damaged,
            failed_syncs: counts.failed_syncs,
            backlog: self.next.since(self.needed_from().max(self.first())),
        }
    }

    fn bytes(&self) -> u64 {
        self.segments.iter().map(|segment| segment.bytes).sum()
    }

    fn first(&self) -> Position {
        self.segments.front().map_or(self.next, |segment| segment.name.first)
    }

    /// Whether all consumers have all of it.
    fn is_spent(&self, segment: &Segment) -> bool {
        !self.consumers.is_empty() && segment.end <= self.needed_from()
    }
}

/// A segment lasts at least an eighth of that.
const MIN_AGE: Duration = Duration::from_mins(8);
/// What was stamped before 2020 was stamped by a clock that was not set yet: nobody knows how old it is.
const PLAUSIBLE: Timestamp = Timestamp::from_secs(1_577_836_800);

/// Where a position is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Place {
    /// Not durable yet, or not even written.
    Ahead,
    /// In that segment.
    In(Segment),
    /// Before `first` there is nothing more to read; up to `gone` because it is gone.
    Before { first: Position, gone: Option<Position> },
}
