//! Series as bytes: each batch defines its own, and a decoder remembers those of former batches.
//!
//! A definition stands by itself (metric, labels, texts), so that it is also the key under which a decoder finds the series again.
//! Definitions are written with what they share with the one before left out.

use std::collections::HashMap;
use std::sync::Arc;

use foldhash::fast::RandomState;

use super::DecodeError;
use super::bytes::{Reader, put, put_slice};
use super::texts::{cut, text};
use super::words::Word;
use crate::{Direction, Label, Metric, Series, Untrusted};

/// Most labels of a series that are read.
const MAX_LABELS: usize = 64;
/// Longest definition.
const MAX_DEFINITION: usize = 16 * 1024;

/// Kinds of labels.
mod kind {
    pub(super) const INTERFACE: u8 = 1;
    pub(super) const DIRECTION: u8 = 2;
    pub(super) const PROTOCOL: u8 = 3;
    pub(super) const APPLICATION: u8 = 4;
    pub(super) const REASON: u8 = 5;
    pub(super) const NAME: u8 = 6;
    /// Length of the name in one byte, name, value.
    pub(super) const OTHER: u8 = 7;
}

/// Definitions that are being written.
#[derive(Debug, Default)]
pub(super) struct SeriesWriter {
    out: Vec<u8>,
    before: Vec<u8>,
    definition: Vec<u8>,
}

/// Definitions that were read before, by any batch of one decoder.
#[derive(Debug, Default)]
pub(super) struct SeriesCache {
    known: HashMap<Box<[u8]>, Option<Arc<Series>>, RandomState>,
}

impl SeriesWriter {
    /// Adds the definition of the next series.
    pub(super) fn add(&mut self, series: &Series) {
        self.definition.clear();
        define(series, &mut self.definition);
        let shared = self.before.iter().zip(&self.definition).take_while(|(a, b)| a == b).count();
        put(&mut self.out, shared as u64);
        put_slice(&mut self.out, self.definition.get(shared..).unwrap_or_default());
        std::mem::swap(&mut self.before, &mut self.definition);
    }

    /// The whole column; then it begins anew.
    pub(super) fn finish(&mut self, write: impl FnOnce(&[u8])) {
        write(&self.out);
        self.out.clear();
        self.before.clear();
    }
}

impl SeriesCache {
    /// All definitions of a column; none in the place of those that this version cannot represent.
    pub(super) fn read(&mut self, column: &[u8], most: usize) -> Result<Vec<Option<Arc<Series>>>, DecodeError> {
        let mut reader = Reader::new(column);
        let (mut found, mut definition) = (Vec::new(), Vec::<u8>::new());
        while !reader.is_empty() {
            let shared = usize::try_from(reader.varint()?).map_err(|_| DecodeError::Cut)?;
            let rest = reader.slice()?;
            if shared > definition.len() || shared + rest.len() > MAX_DEFINITION || found.len() >= most {
                return Err(DecodeError::Damaged("the definition of a series"));
            }
            definition.truncate(shared);
            definition.extend_from_slice(rest);
            found.push(self.series(&definition)?);
        }
        Ok(found)
    }

    fn series(&mut self, definition: &[u8]) -> Result<Option<Arc<Series>>, DecodeError> {
        if let Some(series) = self.known.get(definition) {
            return Ok(series.clone());
        }
        let series = parse(definition)?.map(Arc::new);
        if self.known.len() >= super::SERIES_KEPT {
            self.known.clear();
        }
        self.known.insert(definition.into(), series.clone());
        Ok(series)
    }
}

fn define(series: &Series, out: &mut Vec<u8>) {
    out.push(series.metric.code());
    put(out, series.labels.len().min(MAX_LABELS) as u64);
    for label in series.labels.iter().take(MAX_LABELS) {
        match label {
            Label::Interface(name) => put_label(out, kind::INTERFACE, name.raw().as_bytes()),
            Label::Direction(direction) => put_label(out, kind::DIRECTION, &[direction.code()]),
            Label::Protocol(word) => put_label(out, kind::PROTOCOL, cut(word).as_bytes()),
            Label::Application(word) => put_label(out, kind::APPLICATION, cut(word).as_bytes()),
            Label::Reason(word) => put_label(out, kind::REASON, cut(word).as_bytes()),
            Label::Name(word) => put_label(out, kind::NAME, cut(word).as_bytes()),
            Label::Other(name, value) => put_other(out, name, value),
        }
    }
}

fn put_label(out: &mut Vec<u8>, kind: u8, value: &[u8]) {
    out.push(kind);
    put_slice(out, value);
}

fn put_other(out: &mut Vec<u8>, name: &str, value: &Untrusted) {
    let name = name.as_bytes();
    let length = u8::try_from(name.len()).unwrap_or(u8::MAX);
    let name = name.get(..usize::from(length)).unwrap_or(name);
    put_label(out, kind::OTHER, &[&[length], name, value.raw().as_bytes()].concat());
}

fn parse(definition: &[u8]) -> Result<Option<Series>, DecodeError> {
    let mut reader = Reader::new(definition);
    let metric = Metric::of(reader.byte()?);
    let count = reader.count()?;
    if count > MAX_LABELS {
        return Err(DecodeError::Damaged("a series has too many labels"));
    }
    let mut labels = Vec::with_capacity(count);
    for _ in 0..count {
        let kind = reader.byte()?;
        let Some(label) = label(kind, reader.slice()?)? else { return Ok(None) };
        labels.push(label);
    }
    Ok(metric.map(|metric| Series { metric, labels }))
}

fn label(kind: u8, value: &[u8]) -> Result<Option<Label>, DecodeError> {
    let word = || text(value).map(|word| Arc::from(cut(word)));
    Ok(Some(match kind {
        kind::INTERFACE => Label::Interface(Untrusted::new(text(value)?)),
        kind::DIRECTION => match value.first().copied().and_then(Direction::of) {
            Some(direction) => Label::Direction(direction),
            None => return Ok(None),
        },
        kind::PROTOCOL => Label::Protocol(word()?),
        kind::APPLICATION => Label::Application(word()?),
        kind::REASON => Label::Reason(word()?),
        kind::NAME => Label::Name(word()?),
        kind::OTHER => {
            let (length, rest) = value.split_first().ok_or(DecodeError::Cut)?;
            let (name, value) = rest.split_at_checked(usize::from(*length)).ok_or(DecodeError::Cut)?;
            Label::Other(Arc::from(text(name)?), Untrusted::new(text(value)?))
        }
        _ => return Ok(None),
    }))
}
