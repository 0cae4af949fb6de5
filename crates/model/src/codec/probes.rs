//! Results of probes, one after the other, each as JSON: they are few, and of many kinds that will go on growing.

use super::DecodeError;
use super::bytes::{Reader, put_slice};
use crate::Record;
use crate::probe::ProbeResult;

/// Results that are being written.
#[derive(Debug, Default)]
pub(super) struct ProbeWriter {
    out: Vec<u8>,
}

impl ProbeWriter {
    /// One that cannot be written leaves an empty place, which a reader skips and counts.
    pub(super) fn push(&mut self, result: &ProbeResult) {
        put_slice(&mut self.out, &serde_json::to_vec(result).unwrap_or_default());
    }

    /// The body of the part; then it begins anew. False when there is none.
    pub(super) fn finish(&mut self, out: &mut Vec<u8>) -> bool {
        let any = !self.out.is_empty();
        out.append(&mut self.out);
        any
    }
}

/// Results that are being read.
#[derive(Debug, Default)]
pub(super) struct ProbeReader<'a>(Reader<'a>);

impl<'a> ProbeReader<'a> {
    pub(super) const fn new(body: &'a [u8]) -> Self {
        Self(Reader::new(body))
    }

    /// The next result; none in the place of one that this version cannot read.
    pub(super) fn next(&mut self) -> Result<Option<Record>, DecodeError> {
        Ok(serde_json::from_slice(self.0.slice()?).ok().map(Record::Probe))
    }
}
