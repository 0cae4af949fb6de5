//! Going through a segment record by record, past damage.
//!
//! A damaged payload costs one record, because its head tells where the next one begins. After a damaged head the next intact one
//! is looked for: magic, checksum with the salt of the segment, a position that is still to come. What lies between is lost, and
//! how many records that were is told by the positions.

use std::io;

use netwatch_model::{Position, Timestamp};

use crate::files::{File, read_full};
use crate::segment::{HEAD, HEADER, Head, MARK, Name};

/// Bytes that are looked through at once.
const WINDOW: usize = 64 * 1024;

/// Where in a segment the next record is looked for.
#[derive(Clone, Debug)]
pub(crate) struct Cursor {
    salt: u32,
    offset: u64,
    next: Position,
}

/// What comes next.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Step {
    /// A record; its payload is in the buffer.
    Record { position: Position, time: Timestamp },
    /// Records from `first` on, up to before the cursor's next position, are damaged.
    Damaged { first: Position, bytes: u64 },
    /// Nothing more: the segment ends, after so many bytes of no use. `seen` is the position of a head among them.
    End { torn: u64, seen: Option<Position> },
}

impl Cursor {
    /// Before the first record.
    pub(crate) const fn new(name: Name) -> Self {
        Self { salt: name.salt, offset: HEADER as u64, next: name.first }
    }

    /// The position that is expected next.
    pub(crate) const fn next(&self) -> Position {
        self.next
    }

    /// The next record before `end`, the end of what may be read. Payloads of records before `from` are not read.
    pub(crate) fn step(
        &mut self,
        file: &dyn File,
        end: u64,
        from: Position,
        payload: &mut Vec<u8>,
    ) -> io::Result<Step> {
        if self.offset >= end {
            return Ok(Step::End { torn: 0, seen: None });
        }
        match self.head_at(file, self.offset, end)? {
            Some(head) if self.offset + head.size() <= end => {
                if head.position > self.next {
                    return Ok(self.damaged(self.offset, head.position));
                }
                self.record(file, head, from, payload)
            }
            head => self.resynchronise(file, end, head.map(|head| head.position)),
        }
    }

    fn record(&mut self, file: &dyn File, head: Head, from: Position, payload: &mut Vec<u8>) -> io::Result<Step> {
        let begin = self.offset + HEAD as u64;
        let is_wanted = head.position >= from;
        let mut is_whole = true;
        if is_wanted {
            payload.resize(head.length as usize, 0);
            is_whole = read_full(file, begin, payload)? == payload.len() && crc32c::crc32c(payload) == head.checksum;
        }
        self.offset += head.size();
        self.next = head.position.next();
        Ok(if is_whole {
            Step::Record { position: head.position, time: head.time }
        } else {
            Step::Damaged { first: head.position, bytes: head.size() }
        })
    }

    /// Looks for the next intact record after the damaged bytes here.
    fn resynchronise(&mut self, file: &dyn File, end: u64, mut seen: Option<Position>) -> io::Result<Step> {
        let mut window = vec![0; WINDOW];
        let mut at = self.offset + 1;
        while at < end {
            let wanted = usize::try_from(end - at).unwrap_or(usize::MAX).min(WINDOW);
            let filled = read_full(file, at, window.get_mut(..wanted).unwrap_or_default())?;
            let bytes = window.get(..filled).unwrap_or_default();
            for found in marks(bytes) {
                let offset = at + found as u64;
                let Some(head) = self.head_at(file, offset, end)? else { continue };
                if offset + head.size() <= end {
                    return Ok(self.damaged(offset, head.position));
                }
                seen = seen.max(Some(head.position));
            }
            if filled < WINDOW {
                break;
            }
            // A mark may lie across the end of the window.
            at += (filled - MARK.len() + 1) as u64;
        }
        let torn = end - self.offset;
        self.offset = end;
        Ok(Step::End { torn, seen })
    }

    /// Everything up to the record at `offset`, whose position is `next`, is lost.
    fn damaged(&mut self, offset: u64, next: Position) -> Step {
        let step = Step::Damaged { first: self.next, bytes: offset - self.offset };
        (self.offset, self.next) = (offset, next);
        step
    }

    /// The head at an offset, when it is intact and of a record that is still to come.
    fn head_at(&self, file: &dyn File, offset: u64, end: u64) -> io::Result<Option<Head>> {
        let mut bytes = [0; HEAD];
        if offset + HEAD as u64 > end || read_full(file, offset, &mut bytes)? < HEAD {
            return Ok(None);
        }
        Ok(Head::decode(&bytes, self.salt).filter(|head| head.position >= self.next))
    }
}

/// Where marks begin.
fn marks(bytes: &[u8]) -> impl Iterator<Item = usize> + '_ {
    bytes.windows(MARK.len()).enumerate().filter(|(_, window)| *window == MARK).map(|(at, _)| at)
}
