//! The binary form of a [`Batch`]: what lies in the log and goes over a wire.
//!
//! Why: a batch is written once and read at least once for everything that Netwatch keeps, so that its form must be small and cheap.
//! What: records of one kind lie together in columns, numbers as differences in variable length, each series and each text once.
//!
//! ```text
//! "NWB" version │ agent boot sequence (8 bytes each, little endian) │ part*
//! part: kind, length, body      kinds: order · texts · samples · flows · events · results of probes
//! body of samples and flows: count, column*      column: id, length, bytes
//! ```
//!
//! A batch of version 1 stands by itself. Batches of version 2 share a dictionary of series, so that a series costs its labels once and
//! not with each batch (see `dictionary`): for a log, where many batches are read in order ([`Encoder::sharing`]).
//!
//! Whole numbers without a stated width are LEB128 varints. A reader skips kinds of parts, columns and bytes at the end of an event
//! that it does not know; records that it cannot represent (a kind, a metric, a word of a later version) are skipped and counted in
//! [`Decoded::skipped`]. So a server reads batches of a newer agent, as long as the version byte is the same.
//!
//! Limits: [`MAX_BYTES`] for a batch, [`MAX_RECORDS`] records in it, texts of [`Untrusted::MAX_BYTES`](crate::Untrusted::MAX_BYTES)
//! bytes (longer ones are cut), [`SERIES_KEPT`] series that a decoder remembers between batches, 393 216 in a dictionary. Any bytes give
//! a batch or an error: the decoder never panics, and needs memory in proportion to the records that the bytes really hold, and 16 MB
//! for a dictionary at most. There is no checksum here: who stores or sends the bytes has one.

mod bytes;
mod decode;
mod dictionary;
mod encode;
mod events;
mod flows;
mod labels;
mod probes;
mod runs;
mod samples;
#[cfg(test)]
mod tests;
mod texts;
mod words;

pub use decode::{Decoded, Decoder, SERIES_KEPT, key_of};
pub use dictionary::Mark;
pub use encode::{Encoded, Encoder};

use crate::{Batch, BatchKey};

/// The longest encoded batch, bytes.
pub const MAX_BYTES: usize = 16 << 20;
/// The most records of one batch.
pub const MAX_RECORDS: usize = 1 << 18;

/// How every batch begins, followed by [`VERSION`].
const MAGIC: [u8; 3] = *b"NWB";
/// Grows when a reader of the version before would misunderstand, not when something is added.
const VERSION: u8 = 1;
/// The version of batches whose series are defined by those before them, too.
const SHARING: u8 = 2;
/// Magic, version and key.
const HEADER: usize = 4 + 3 * 8;

/// Kinds of parts; those of records are also the kinds in the part of the order.
mod part {
    pub(super) const ORDER: u64 = 0;
    pub(super) const TEXTS: u64 = 1;
    pub(super) const SAMPLES: u64 = 2;
    pub(super) const FLOWS: u64 = 3;
    pub(super) const EVENTS: u64 = 4;
    pub(super) const PROBES: u64 = 5;
}

/// A batch cannot be written.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum EncodeError {
    /// Too many records.
    #[error("a batch has more than {MAX_RECORDS} records: send them in several")]
    TooManyRecords,
    /// Too many bytes.
    #[error("a batch takes {0} bytes, more than {MAX_BYTES}: send it in several")]
    TooLarge(usize),
}

/// Bytes are not a batch that this version reads.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum DecodeError {
    /// They do not begin as a batch.
    #[error("these bytes are not a batch of Netwatch")]
    NotABatch,
    /// Written by a newer Netwatch.
    #[error("the batch has format {0}, this Netwatch reads formats up to {SHARING}: update it")]
    Version(u8),
    /// They end within a value.
    #[error("the batch ends too early")]
    Cut,
    /// A value cannot be.
    #[error("the batch is damaged: {0}")]
    Damaged(&'static str),
    /// More than a batch may have.
    #[error("the batch has more than {MAX_RECORDS} records or {MAX_BYTES} bytes")]
    TooLarge,
}

/// Writes one batch. Who writes many keeps an [`Encoder`].
///
/// # Errors
/// When it is larger than a batch may be.
pub fn encode(batch: &Batch) -> Result<Vec<u8>, EncodeError> {
    let mut bytes = Vec::new();
    Encoder::default().encode(batch.key, &batch.records, &mut bytes)?;
    Ok(bytes)
}

/// Reads one batch. Who reads many keeps a [`Decoder`].
///
/// # Errors
/// When the bytes are no batch that this version reads.
pub fn decode(bytes: &[u8]) -> Result<Decoded, DecodeError> {
    Decoder::default().decode(bytes)
}

/// The bytes that stand for a key, at the beginning of its batch.
fn put_header(key: BatchKey, version: u8, out: &mut Vec<u8>) {
    out.extend_from_slice(&MAGIC);
    out.push(version);
    for word in [key.agent.0, key.boot.0, key.sequence] {
        out.extend_from_slice(&word.to_le_bytes());
    }
}
