//! What is found when a log is opened, and putting it in order.
//!
//! Only the newest segment can have been written to when the machine stopped: it is looked through, cut after its last intact record,
//! and synced, because what is found from here on counts as acknowledged. Of the others the header is read; their records are checked
//! when they are read. Damage never keeps a log from opening.

use std::io;
use std::sync::Arc;

use netwatch_model::{Position, Timestamp};

use crate::checkpoint::{self, Checkpoint};
use crate::config::Config;
use crate::error::SpoolError;
use crate::files::{FRESH, File, Files, read_full};
use crate::gap::{Gap, GapReason, Gaps};
use crate::scan::{Cursor, Step};
use crate::segment::{HEADER, Header, Name};
use crate::state::{Counts, Segment, State};

/// What was found when a log was opened.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Recovery {
    /// Segments that are there.
    pub segments: u64,
    /// Intact records of the newest segment.
    pub intact: u64,
    /// Bytes after them, of records that were never acknowledged or whose heads are destroyed; they were cut off.
    pub torn_bytes: u64,
    /// Headers of segments that could not be read. No record is lost by it.
    pub damaged_headers: u64,
    /// What is lost of the newest segment.
    pub damaged: Vec<Gap>,
    /// What was acknowledged, lies beyond everything that is there, and is still needed: the end of a file is gone, or the whole file.
    pub missing: Option<Gap>,
    /// Checkpoints that could not be read: those consumers begin at the oldest record.
    pub lost_checkpoints: Vec<&'static str>,
}

impl Recovery {
    /// Records that are lost.
    #[must_use]
    pub fn lost(&self) -> u64 {
        self.damaged.iter().chain(&self.missing).map(|gap| gap.records).sum()
    }
}

/// Reads what is there.
pub(crate) fn recover(files: &dyn Files, config: Config) -> Result<(State, Recovery), SpoolError> {
    let names = segment_names(files)?;
    let gaps = Gaps::read(files).unwrap_or_default();
    let mut report = Recovery { segments: names.len() as u64, ..Recovery::default() };
    let mut state = State {
        config,
        segments: segments(files, &names, &mut report),
        next: gaps.end().max(Position::FIRST),
        durable_end: gaps.end().max(checkpoint::read_end(files)),
        consumers: std::collections::BTreeMap::new(),
        gaps,
        counts: Counts::default(),
    };
    for consumer in state.config.consumers.clone() {
        let checkpoint = Checkpoint::read(files, consumer).unwrap_or_default();
        if checkpoint.is_none() && !is_first(files, &names, consumer) {
            report.lost_checkpoints.push(consumer);
        }
        let (Checkpoint { next, .. }, end) = checkpoint.unwrap_or_default();
        state.consumers.insert(consumer, next);
        state.durable_end = state.durable_end.max(next).max(end);
    }
    state.next = state.next.max(state.durable_end);
    if let Some(newest) = names.last() {
        let end = finish_newest(files, &mut state, &mut report);
        // One is left out, so that no two segments ever begin at the same position.
        state.next = state.next.max(end).max(newest.first).next();
    }
    report.missing = missing_end(&state);
    for gap in report.damaged.iter().chain(&report.missing) {
        state.note_damage(*gap);
    }
    Ok((state, report))
}

/// Whether that consumer had no reason yet to write a checkpoint: the log is empty, or as long as it ever was, and there is no file of one.
fn is_first(files: &dyn Files, names: &[Name], consumer: &str) -> bool {
    names.first().is_none_or(|oldest| oldest.first == Position::FIRST && !Checkpoint::is_there(files, consumer))
}

/// What was durable once, and lies beyond all that is there.
fn missing_end(state: &State) -> Option<Gap> {
    let newest = state.segments.back();
    let end = newest.map_or(Position::FIRST, |newest| newest.end);
    let first = end.max(state.gaps.end()).max(state.needed_from());
    let (from, to) = newest.map_or((Timestamp::ZERO, Timestamp::ZERO), |newest| newest.times);
    let (last, records) = (state.durable_end.before(), state.durable_end.since(first));
    (records > 0).then_some(Gap { reason: GapReason::Damaged, first, last, from, to, records })
}

/// Names of all segments, oldest first. What was being written when the machine stopped is removed.
fn segment_names(files: &dyn Files) -> Result<Vec<Name>, SpoolError> {
    let all = files.names().map_err(|source| SpoolError::Directory { place: files.place(), source })?;
    for name in all.iter().filter(|name| name.ends_with(FRESH)) {
        // It is in nobody's way: the next one of that name replaces it.
        let _ = files.remove(name);
    }
    let mut names: Vec<Name> = all.iter().filter_map(|name| Name::parse(name)).collect();
    names.sort_unstable();
    Ok(names)
}

/// The segments as their names and headers tell: each ends where the next one expects it to.
fn segments(files: &dyn Files, names: &[Name], report: &mut Recovery) -> std::collections::VecDeque<Segment> {
    let found: Vec<(Name, Option<Header>, u64)> = names
        .iter()
        .map(|name| {
            let (header, bytes) = read_header(files, *name).unwrap_or_default();
            report.damaged_headers += u64::from(header.is_none());
            (*name, header, bytes)
        })
        .collect();
    let created = |header: &Option<Header>| header.map(|header| header.created);
    let mut segments = std::collections::VecDeque::new();
    let mut later: Option<(Position, Timestamp)> = None;
    for (name, header, bytes) in found.iter().rev() {
        let (end, newest) = later.unwrap_or((name.first, created(header).unwrap_or_default()));
        let end = end.max(name.first);
        let begun = created(header).unwrap_or(newest);
        segments.push_front(Segment {
            name: *name,
            expected: header.map_or(name.first, |header| header.expected),
            end,
            bytes: *bytes,
            durable: (end, *bytes),
            times: (begun, newest.max(begun)),
            is_active: false,
        });
        later = Some((header.map_or(name.first, |header| header.expected), begun));
    }
    segments
}

fn read_header(files: &dyn Files, name: Name) -> io::Result<(Option<Header>, u64)> {
    let file = files.open(&name.to_file())?;
    let mut bytes = [0; HEADER];
    let size = file.size()?;
    let filled = read_full(&*file, 0, &mut bytes)?;
    let header = bytes.get(..filled).and_then(Header::decode).filter(|header| header.name == name);
    Ok((header, size))
}

/// Looks the newest segment through and cuts it; tells one after the highest position in it. One that holds nothing goes, and the one
/// before it, whose end it should have told, is the newest.
fn finish_newest(files: &dyn Files, state: &mut State, report: &mut Recovery) -> Position {
    let mut highest = Position::ZERO;
    while let Some(newest) = state.segments.back_mut() {
        let name = newest.name.to_file();
        if let Ok((Some(header), _)) = read_header(files, newest.name) {
            state.durable_end = state.durable_end.max(header.expected);
        }
        let Ok(file) = files.open(&name).map(Arc::<dyn File>::from) else { return highest.max(newest.end) };
        let found = look_through(&*file, newest, report);
        highest = highest.max(newest.end).max(found.seen.map_or(Position::ZERO, Position::next));
        if newest.end == newest.name.first && files.remove(&name).is_ok() {
            report.torn_bytes += found.torn;
            state.segments.pop_back();
            continue;
        }
        state.durable_end = state.durable_end.max(newest.end);
        if found.torn > 0 {
            report.torn_bytes += found.torn;
            newest.bytes -= found.torn;
            newest.durable.1 = newest.bytes;
            if let Err(error) = file.cut(newest.bytes) {
                tracing::warn!(%error, segment = name, "the torn end of a segment of the log cannot be cut off");
            }
        }
        // Nobody may have waited for what is found, and whoever sends it again is told that it is there.
        if let Err(error) = file.sync().and_then(|()| files.sync()) {
            tracing::warn!(%error, segment = name, "the newest segment of the log cannot be made durable");
        }
        break;
    }
    highest
}

#[derive(Default)]
struct Found {
    torn: u64,
    seen: Option<Position>,
}

/// Counts intact, damaged and torn records; the segment then ends after the last of them.
fn look_through(file: &dyn File, segment: &mut Segment, report: &mut Recovery) -> Found {
    let mut cursor = Cursor::new(segment.name);
    let mut payload = Vec::new();
    let mut damage: Option<(Position, Position)> = None;
    let found = loop {
        match cursor.step(file, segment.bytes, segment.name.first, &mut payload) {
            Ok(Step::Record { time, .. }) => {
                report.intact += 1;
                segment.times.1 = segment.times.1.max(time);
                report.damaged.extend(damage.take().map(|(first, last)| gap_of(segment, first, last)));
            }
            Ok(Step::Damaged { first, .. }) => {
                damage = Some((damage.map_or(first, |(earliest, _)| earliest), cursor.next().before()));
            }
            Ok(Step::End { torn, seen }) => break Found { torn, seen },
            // What cannot be read now is left as it is.
            Err(error) => {
                tracing::warn!(%error, segment = segment.name.to_file(), "a segment of the log cannot be read to its end");
                break Found::default();
            }
        }
    };
    report.damaged.extend(damage.map(|(first, last)| gap_of(segment, first, last)));
    segment.end = cursor.next();
    segment.durable = (segment.end, segment.bytes);
    found
}

fn gap_of(segment: &Segment, first: Position, last: Position) -> Gap {
    let (from, to) = segment.times;
    Gap { reason: GapReason::Damaged, first, last, from, to, records: last.next().since(first) }
}
