//! Bytes to records.

use super::bytes::Reader;
use super::dictionary::{Head, Tables};
use super::events::EventReader;
use super::flows::FlowReader;
use super::probes::ProbeReader;
use super::samples::SampleReader;
use super::texts::Texts;
use super::{DecodeError, HEADER, MAGIC, MAX_BYTES, MAX_RECORDS, SHARING, VERSION, part};
use crate::{AgentId, Batch, BatchKey, BootId, Record};

/// Series that a decoder remembers, so that samples of many batches share theirs; with more it begins anew.
pub const SERIES_KEPT: usize = 1 << 17;

/// Reads batches; remembers the series of former ones, and the newest dictionary.
#[derive(Debug, Default)]
pub struct Decoder {
    series: Tables,
}

/// What was read.
#[derive(Clone, PartialEq, Debug)]
pub struct Decoded {
    /// The batch.
    pub batch: Batch,
    /// Records that this version cannot represent.
    pub skipped: u64,
    /// Samples whose series was defined in a batch that was not read.
    pub lost: u64,
}

/// The bodies of the parts that are known.
#[derive(Debug, Default)]
struct Parts<'a> {
    order: Reader<'a>,
    texts: Texts<'a>,
    samples: SampleReader<'a>,
    flows: FlowReader<'a>,
    events: EventReader<'a>,
    probes: ProbeReader<'a>,
}

impl Decoder {
    /// Reads one batch.
    ///
    /// # Errors
    /// When the bytes are no batch that this version reads.
    pub fn decode(&mut self, bytes: &[u8]) -> Result<Decoded, DecodeError> {
        if bytes.len() > MAX_BYTES {
            return Err(DecodeError::TooLarge);
        }
        let (key, version) = head_of(bytes)?;
        let mut parts = self.parts(body_of(bytes), version == SHARING)?;
        let mut records = Vec::with_capacity(count_of(parts.order)?);
        let mut missing = 0;
        while !parts.order.is_empty() {
            let (kind, run) = (parts.order.varint()?, parts.order.varint()?);
            missing += parts.read(kind, run, &mut records, &mut self.series)?;
        }
        let lost = parts.samples.lost;
        Ok(Decoded { batch: Batch { key, records }, skipped: missing - lost, lost })
    }

    /// Whether a batch names series that were defined before anything that was read: [`Decoder::learn`] those before it, and what they
    /// cannot tell is lost. Bytes that are no batch lack nothing.
    #[must_use]
    pub fn lacks(&self, bytes: &[u8]) -> bool {
        dictionary_of(bytes).is_ok_and(|head| head.is_some_and(|head| self.series.lack(head)))
    }

    /// Takes in which series a batch defines for those after it, without its records.
    ///
    /// # Errors
    /// When the bytes are no batch that this version reads.
    pub fn learn(&mut self, bytes: &[u8]) -> Result<(), DecodeError> {
        if head_of(bytes)?.1 == SHARING
            && let Some(samples) = samples_of(bytes)?
        {
            SampleReader::new(samples, true, &mut self.series)?;
        }
        Ok(())
    }

    fn parts<'a>(&mut self, body: &'a [u8], shares: bool) -> Result<Parts<'a>, DecodeError> {
        let mut reader = Reader::new(body);
        let mut parts = Parts::default();
        while !reader.is_empty() {
            let kind = reader.varint()?;
            let body = reader.slice()?;
            match kind {
                part::ORDER => parts.order = Reader::new(body),
                part::TEXTS => parts.texts = Texts::read(body)?,
                part::SAMPLES => parts.samples = SampleReader::new(body, shares, &mut self.series)?,
                part::FLOWS => parts.flows = FlowReader::new(body)?,
                part::EVENTS => parts.events = EventReader::new(body),
                part::PROBES => parts.probes = ProbeReader::new(body),
                _ => {}
            }
        }
        Ok(parts)
    }
}

impl Parts<'_> {
    /// Reads a run of records of one kind; tells how many of them there are no records for.
    fn read(
        &mut self,
        kind: u64,
        run: u64,
        records: &mut Vec<Record>,
        series: &mut Tables,
    ) -> Result<u64, DecodeError> {
        let before = records.len() as u64;
        match kind {
            part::SAMPLES => {
                for _ in 0..run {
                    records.extend(self.samples.next(series)?);
                }
            }
            part::FLOWS => {
                for _ in 0..run {
                    records.extend(self.flows.next(&mut self.texts)?);
                }
            }
            part::EVENTS => {
                for _ in 0..run {
                    records.extend(self.events.next()?);
                }
            }
            part::PROBES => {
                for _ in 0..run {
                    records.extend(self.probes.next()?);
                }
            }
            _ => return Ok(run),
        }
        Ok(run - (records.len() as u64 - before))
    }
}

/// The key of an encoded batch, without reading the rest.
///
/// # Errors
/// When the bytes do not begin as a batch that this version reads.
pub fn key_of(bytes: &[u8]) -> Result<BatchKey, DecodeError> {
    head_of(bytes).map(|(key, _)| key)
}

/// Key and version.
fn head_of(bytes: &[u8]) -> Result<(BatchKey, u8), DecodeError> {
    let mut reader = Reader::new(bytes);
    if reader.array::<3>().map_err(|_| DecodeError::NotABatch)? != MAGIC {
        return Err(DecodeError::NotABatch);
    }
    let version = reader.byte()?;
    if !matches!(version, VERSION | SHARING) {
        return Err(DecodeError::Version(version));
    }
    let key = BatchKey { agent: AgentId(reader.word()?), boot: BootId(reader.word()?), sequence: reader.word()? };
    Ok((key, version))
}

/// All parts.
fn body_of(bytes: &[u8]) -> &[u8] {
    bytes.get(HEADER..).unwrap_or_default()
}

/// The body of the samples.
fn samples_of(bytes: &[u8]) -> Result<Option<&[u8]>, DecodeError> {
    let mut reader = Reader::new(body_of(bytes));
    while !reader.is_empty() {
        let (kind, body) = (reader.varint()?, reader.slice()?);
        if kind == part::SAMPLES {
            return Ok(Some(body));
        }
    }
    Ok(None)
}

/// The dictionary that a batch means.
fn dictionary_of(bytes: &[u8]) -> Result<Option<Head>, DecodeError> {
    if head_of(bytes)?.1 != SHARING {
        return Ok(None);
    }
    samples_of(bytes)?.map_or(Ok(None), SampleReader::head)
}

/// How many records there are in that order, within what a batch may have.
fn count_of(mut order: Reader<'_>) -> Result<usize, DecodeError> {
    let mut count = 0_u64;
    while !order.is_empty() {
        order.varint()?;
        count = count.saturating_add(order.varint()?);
    }
    match usize::try_from(count) {
        Ok(count) if count <= MAX_RECORDS => Ok(count),
        _ => Err(DecodeError::TooLarge),
    }
}
