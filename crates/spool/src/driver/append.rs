//! Writing a record: room, a segment, bytes.

use std::io;
use std::sync::Arc;

use netwatch_model::{Position, Timestamp};

use super::{Active, Inner, Spool, Ticket};
use crate::error::AppendError;
use crate::files::{is_full, write_all};
use crate::gap::GapReason;
use crate::segment::{HEADER, Head, Header, Name};
use crate::state::Room;

impl Spool {
    /// Writes a record. It is acknowledged when [`Spool::commit`] returns for its ticket.
    ///
    /// # Errors
    /// When there is no room for it, or the disk fails; nothing of it is then read, and it may be given again.
    pub fn append(&self, payload: &[u8]) -> Result<Ticket, AppendError> {
        // Without a segment that it must be in there is always an answer.
        self.append_to(None, payload)?.ok_or_else(|| AppendError::Write {
            place: self.0.files.place(),
            source: io::Error::other("no segment takes it"),
        })
    }

    /// The same for a record that means something only behind others of its segment: none when that segment has ended, and nothing was
    /// written. `segment` is the one of their [`Ticket`].
    ///
    /// # Errors
    /// As [`Spool::append`].
    pub fn append_within(&self, segment: Position, payload: &[u8]) -> Result<Option<Ticket>, AppendError> {
        self.append_to(Some(segment), payload)
    }

    fn append_to(&self, within: Option<Position>, payload: &[u8]) -> Result<Option<Ticket>, AppendError> {
        let now = self.0.clock.now();
        let mut inner = self.inner();
        let result = self.append_locked(&mut inner, within, payload, now);
        if result.is_err() {
            inner.state.counts.refused += 1;
        }
        self.0.metrics.publish(&inner.state.statistics());
        let is_long = inner
            .state
            .active()
            .is_some_and(|active| active.bytes - active.durable.1 >= 2 * inner.state.config.segment_bytes);
        drop(inner);
        let Some(ticket) = result? else { return Ok(None) };
        if is_long {
            // A segment ends at a sync only: whoever appends without ever waiting is made to.
            self.commit(ticket)?;
        }
        Ok(Some(ticket))
    }

    fn append_locked(
        &self,
        inner: &mut Inner,
        within: Option<Position>,
        payload: &[u8],
        now: Timestamp,
    ) -> Result<Option<Ticket>, AppendError> {
        let place = || self.0.files.place();
        let head = Head::of(payload, inner.state.next, now).ok_or(AppendError::TooLong { bytes: payload.len() })?;
        let incoming = head.size() + if inner.active.is_none() { HEADER as u64 } else { 0 };
        let failed = |source| {
            let is_full = is_full(&source);
            if is_full {
                AppendError::NoSpace { place: place(), source }
            } else {
                AppendError::Write { place: place(), source }
            }
        };
        loop {
            match inner.state.room(incoming, self.age_clock()) {
                Room::Fits => break,
                Room::After(removal) => self.remove(inner, removal).map_err(failed)?,
                Room::None => {
                    return Err(AppendError::Full { place: place(), max_bytes: inner.state.config.max_bytes });
                }
            }
        }
        loop {
            // After an error the segment may have been abandoned.
            if within.is_some() && within != inner.state.active().map(|active| active.name.first) {
                return Ok(None);
            }
            match self.try_write(inner, head, payload, now) {
                Ok(ticket) => return Ok(Some(ticket)),
                Err(source) => {
                    // Without space older records may still make some.
                    let oldest = inner.state.oldest(GapReason::Full).filter(|_| is_full(&source));
                    let freed = oldest.is_some_and(|oldest| self.remove(inner, oldest).is_ok());
                    if !freed {
                        return Err(failed(source));
                    }
                }
            }
        }
    }

    fn try_write(&self, inner: &mut Inner, head: Head, payload: &[u8], now: Timestamp) -> io::Result<Ticket> {
        self.ensure_reserve(inner)?;
        if inner.active.is_none() {
            self.begin(inner, now)?;
        }
        let (Some(segment), Some(active)) = (inner.state.active(), inner.active.as_ref()) else {
            return Err(io::Error::other("no segment is active"));
        };
        // The segment may have been begun just now, after a position was left out.
        let head = Head { position: inner.state.next, ..head };
        inner.record.clear();
        inner.record.extend_from_slice(&head.encode(segment.name.salt));
        inner.record.extend_from_slice(payload);
        let (offset, segment) = (segment.bytes, segment.name.first);
        if let Err(error) = write_all(&*active.file, offset, &inner.record) {
            // A half-written record is cut off again. If even that fails the segment is not to be trusted.
            let is_whole = is_full(&error) && active.file.cut(offset).is_ok();
            if !is_whole {
                self.abandon(inner);
                self.0.changed.notify_all();
            }
            return Err(error);
        }
        Ok(Ticket { position: inner.state.written(head.size(), now), segment })
    }

    /// Begins a segment.
    fn begin(&self, inner: &mut Inner, now: Timestamp) -> io::Result<()> {
        let salt = getrandom::u32().map_err(io::Error::other)?;
        let name = Name { first: inner.state.next, salt };
        let header = Header { name, expected: inner.state.durable_end, created: now };
        let file = self.0.files.create(&name.to_file())?;
        if let Err(error) = write_all(&*file, 0, &header.encode()) {
            // Should it stay, no other segment is to begin at the same position.
            let _ = self.0.files.remove(&name.to_file());
            inner.state.leave_out();
            return Err(error);
        }
        inner.state.begin(&header);
        inner.active = Some(Active { file: Arc::from(file), is_named: false });
        Ok(())
    }
}
