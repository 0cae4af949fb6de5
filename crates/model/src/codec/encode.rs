//! Records to bytes.

use super::bytes::{put, put_slice};
use super::events::EventWriter;
use super::flows::FlowWriter;
use super::probes::ProbeWriter;
use super::samples::SampleWriter;
use super::texts::TextWriter;
use super::{EncodeError, MAX_BYTES, MAX_RECORDS, Mark, SHARING, VERSION, part, put_header};
use crate::{BatchKey, Record};

/// Writes batches; keeps its buffers from one to the next.
#[derive(Debug, Default)]
pub struct Encoder {
    order: Vec<(u64, u64)>,
    texts: TextWriter,
    samples: SampleWriter,
    flows: FlowWriter,
    events: EventWriter,
    probes: ProbeWriter,
    part: Vec<u8>,
}

/// What was written.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Encoded {
    /// Records.
    pub records: usize,
    /// Bytes that were appended.
    pub bytes: usize,
    /// For [`Encoder::settle`], when this batch is durable.
    pub mark: Mark,
}

impl Encoder {
    /// Writes batches that share a dictionary of series: a reader needs those before, back to where the dictionary began. `seed` tells
    /// dictionaries apart, and is random.
    #[must_use]
    pub fn sharing(seed: u64) -> Self {
        Self { samples: SampleWriter::sharing(seed), ..Self::default() }
    }

    /// Begins a new dictionary: the next batch needs none before it. Without a dictionary nothing changes.
    pub fn begin(&mut self) {
        self.samples.begin();
    }

    /// A batch with that mark can be read as long as those after it: what it defined does not come again.
    pub fn settle(&mut self, mark: Mark) {
        self.samples.settle(mark);
    }

    /// Appends the batch `key` with these records to `out`.
    ///
    /// # Errors
    /// When it is larger than a batch may be; `out` is then as it was.
    pub fn encode<'a>(
        &mut self,
        key: BatchKey,
        records: impl IntoIterator<Item = &'a Record>,
        out: &mut Vec<u8>,
    ) -> Result<Encoded, EncodeError> {
        let begin = out.len();
        self.samples.begin_if_full();
        let count = self.gather(records);
        let mark = self.samples.mark();
        put_header(key, if self.samples.is_sharing() { SHARING } else { VERSION }, out);
        self.write_parts(out);
        let bytes = out.len() - begin;
        let error = match count {
            None => EncodeError::TooManyRecords,
            Some(_) if bytes > MAX_BYTES => EncodeError::TooLarge(bytes),
            Some(records) => return Ok(Encoded { records, bytes, mark }),
        };
        out.truncate(begin);
        Err(error)
    }

    /// Puts records into their columns; none when there are too many.
    fn gather<'a>(&mut self, records: impl IntoIterator<Item = &'a Record>) -> Option<usize> {
        let mut count = 0;
        for record in records {
            count += 1;
            if count > MAX_RECORDS {
                return None;
            }
            let kind = match record {
                Record::Sample(sample) => {
                    self.samples.push(sample);
                    part::SAMPLES
                }
                Record::Flow(flow) => {
                    self.flows.push(flow, &mut self.texts);
                    part::FLOWS
                }
                Record::Event(event) => {
                    self.events.push(event);
                    part::EVENTS
                }
                Record::Probe(result) => {
                    self.probes.push(result);
                    part::PROBES
                }
            };
            match self.order.last_mut() {
                Some((last, run)) if *last == kind => *run += 1,
                _ => self.order.push((kind, 1)),
            }
        }
        Some(count)
    }

    fn write_parts(&mut self, out: &mut Vec<u8>) {
        let part = &mut self.part;
        part.clear();
        for (kind, run) in self.order.drain(..) {
            put(part, kind);
            put(part, run);
        }
        write_part(part::ORDER, part, out);
        if self.samples.finish(part) {
            write_part(part::SAMPLES, part, out);
        }
        if self.flows.finish(part) {
            write_part(part::FLOWS, part, out);
            self.texts.finish(part);
            write_part(part::TEXTS, part, out);
        }
        if self.events.finish(part) {
            write_part(part::EVENTS, part, out);
        }
        if self.probes.finish(part) {
            write_part(part::PROBES, part, out);
        }
    }
}

fn write_part(kind: u64, body: &mut Vec<u8>, out: &mut Vec<u8>) {
    put(out, kind);
    put_slice(out, body);
    body.clear();
}
