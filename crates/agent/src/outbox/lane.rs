//! One line of batches in the order in which they were written, without those that the server has.

use netwatch_model::Position;
use netwatch_spool::{Gap, Item, Reader};

use super::frame::Frame;
use super::{Lost, Outbox};

/// The two lines of a session.
#[derive(Debug)]
pub struct Lanes {
    /// What waited when the session began.
    pub catch_up: Lane,
    /// What was written since.
    pub live: Lane,
}

/// One line.
#[derive(Debug)]
pub struct Lane {
    outbox: Outbox,
    reader: Reader,
    /// The next position that was not looked at.
    expected: Position,
    /// Where the line ends; none while it grows.
    end: Option<Position>,
    /// Records written up to what was read last; none when nobody knows.
    total: Option<u64>,
    /// What is lost before the next batch, whose count says how many records that were.
    gap: Option<Gap>,
    /// Read and not taken yet.
    ready: Option<Ready>,
}

/// A batch to be sent.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Ready {
    /// Where it lies.
    pub position: Position,
    /// Its line at the server.
    pub run: u64,
    /// Its number in that.
    pub sequence: u64,
    /// Its records.
    pub records: u64,
    /// Its binary form.
    pub payload: Vec<u8>,
}

/// What comes next.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Step {
    /// A batch.
    Batch(Ready),
    /// Records that are gone.
    Lost(Lost),
}

impl Lane {
    /// From a position on, before which so many records were written.
    pub(super) fn new(outbox: Outbox, from: Position, end: Option<Position>, before: u64) -> Self {
        let reader = outbox.0.spool.reader(from);
        Self { outbox, reader, expected: from, end, total: Some(before), gap: None, ready: None }
    }

    /// Whether there is nothing more, for good.
    #[must_use]
    pub fn is_done(&self) -> bool {
        self.ready.is_none() && self.gap.is_none() && self.end.is_some_and(|end| self.expected >= end)
    }

    /// What comes next; none when there is nothing for now.
    pub fn advance(&mut self) -> Option<Step> {
        if let Some(ready) = self.ready.take() {
            return Some(Step::Batch(ready));
        }
        while self.end.is_none_or(|end| self.expected < end) {
            if let Some((last, records)) = self.outbox.acked_at(self.expected) {
                self.total = self.total.zip(records).map(|(total, records)| total.saturating_add(records));
                self.expected = last.next();
                self.reader.seek(self.expected);
                continue;
            }
            let item = match self.reader.next()? {
                Item::Gap(gap) => Err(gap),
                Item::Record { position, payload, .. } => Ok((position, Frame::read(payload).map(owned))),
            };
            match item {
                Err(gap) => {
                    let first = gap.first.max(self.expected);
                    self.outbox.pass(self.expected, first.before());
                    let gap = Gap { first, ..gap };
                    self.gap = Some(self.gap.map_or(gap, |before| joined(before, gap)));
                    self.expected = gap.last.next();
                }
                Ok((position, frame)) => {
                    if let Some(step) = self.read(position, frame) {
                        return Some(step);
                    }
                }
            }
        }
        // Nothing behind a gap says how many records it held.
        let gap = self.gap.take()?;
        Some(Step::Lost(self.lost(gap, gap.records)))
    }

    fn read(&mut self, position: Position, frame: Option<(Frame, Vec<u8>)>) -> Option<Step> {
        let within = self.end.map_or(position, |end| position.min(end));
        self.outbox.pass(self.expected, within.before());
        self.expected = within;
        if self.end.is_some_and(|end| position >= end) {
            return None;
        }
        self.expected = position.next();
        let Some((frame, payload)) = frame else {
            tracing::error!(%position, "a batch in the spool was written by another version and is left out");
            self.outbox.pass(position, position);
            return None;
        };
        let gone = self.total.map(|total| frame.before.saturating_sub(total));
        self.total = Some(frame.before.saturating_add(frame.records));
        let Frame { run, sequence, records, .. } = frame;
        let ready = Ready { position, run, sequence, records, payload };
        let Some(gap) = self.gap.take() else { return Some(Step::Batch(ready)) };
        self.ready = Some(ready);
        Some(Step::Lost(self.lost(gap, gone.unwrap_or(gap.records))))
    }

    fn lost(&self, gap: Gap, records: u64) -> Lost {
        let records = self.outbox.lost(gap.first, gap.last, records);
        Lost { records, from: gap.from, to: gap.to, reason: gap.reason }
    }
}

fn owned((frame, payload): (Frame, &[u8])) -> (Frame, Vec<u8>) {
    (frame, payload.to_vec())
}

fn joined(a: Gap, b: Gap) -> Gap {
    Gap { last: b.last, from: a.from.min(b.from), to: a.to.max(b.to), records: a.records + b.records, ..a }
}
