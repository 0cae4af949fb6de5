//! Events, one after the other: they are few. What a later version adds stands at the end of an event, and is skipped.

use super::DecodeError;
use super::bytes::{Reader, put, put_slice, zigzag};
use super::texts::text;
use super::words::Word;
use crate::{Event, EventKind, Record, Severity, Timestamp, Untrusted};

/// Events that are being written.
#[derive(Debug, Default)]
pub(super) struct EventWriter {
    count: u64,
    out: Vec<u8>,
    one: Vec<u8>,
}

impl EventWriter {
    pub(super) fn push(&mut self, event: &Event) {
        self.count += 1;
        self.one.clear();
        put(&mut self.one, zigzag(event.time.nanos()));
        self.one.extend([event.kind.code(), event.severity.code()]);
        put_slice(&mut self.one, event.subject.raw().as_bytes());
        put_slice(&mut self.one, event.text.raw().as_bytes());
        put_slice(&mut self.out, &self.one);
    }

    /// The body of the part; then it begins anew. False when there is none.
    pub(super) fn finish(&mut self, out: &mut Vec<u8>) -> bool {
        if self.count == 0 {
            return false;
        }
        out.extend_from_slice(&self.out);
        self.out.clear();
        self.count = 0;
        true
    }
}

/// Events that are being read.
#[derive(Debug, Default)]
pub(super) struct EventReader<'a>(Reader<'a>);

impl<'a> EventReader<'a> {
    pub(super) const fn new(body: &'a [u8]) -> Self {
        Self(Reader::new(body))
    }

    /// The next event; none in the place of one with an unknown word.
    pub(super) fn next(&mut self) -> Result<Option<Record>, DecodeError> {
        let mut one = Reader::new(self.0.slice()?);
        let time = Timestamp::from_nanos(one.signed()?);
        let (kind, severity) = (EventKind::of(one.byte()?), Severity::of(one.byte()?));
        let (subject, text) = (Untrusted::new(text(one.slice()?)?), Untrusted::message(text(one.slice()?)?));
        let (Some(kind), Some(severity)) = (kind, severity) else { return Ok(None) };
        Ok(Some(Record::Event(Event { time, kind, severity, subject, text })))
    }
}
