//! Series that batches have in common: each is defined once, and later batches name it by its number.
//!
//! A dictionary has an identity, and a list of series that only grows. A batch says which dictionary it means, from which number on it
//! defines series, and those definitions: so a reader always knows what it lacks. A definition comes again in each batch until the
//! writer has been told that one of them is durable: what survives a crash never needs what did not. Where a reader lost a definition
//! its list has a hole, and samples that name it are counted as lost; a number is never guessed.
//!
//! Limits: a writer begins a new dictionary after [`FULL`] series; one batch may take it up to [`MAX_SERIES`].

use std::collections::HashMap;
use std::sync::Arc;

use foldhash::fast::RandomState;

use super::bytes::{Reader, put};
use super::labels::{SeriesCache, SeriesWriter};
use super::samples::Before;
use super::{DecodeError, MAX_RECORDS};
use crate::Series;

/// A dictionary with more series is not gone on with.
pub(super) const FULL: usize = 1 << 17;
/// The most series of a dictionary.
const MAX_SERIES: usize = FULL + MAX_RECORDS;

/// How far a dictionary had grown with some batch.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Mark {
    dictionary: u64,
    series: usize,
}

/// The dictionary of a writer.
#[derive(Debug)]
pub(super) struct Dictionary {
    id: u64,
    list: Vec<Arc<Series>>,
    numbers: HashMap<Arc<Series>, usize, RandomState>,
    /// Definitions before that one need not come again.
    settled: usize,
}

impl Dictionary {
    pub(super) fn new(id: u64) -> Self {
        Self { id, list: Vec::new(), numbers: HashMap::default(), settled: 0 }
    }

    pub(super) fn is_full(&self) -> bool {
        self.list.len() > FULL
    }

    /// A new one takes the place of this one.
    pub(super) fn renew(&mut self) {
        self.id = self.id.wrapping_add(1);
        self.list.clear();
        self.numbers.clear();
        self.settled = 0;
    }

    /// The number of a series, and whether that is new. As long as it is, the series is kept where it lies in memory.
    pub(super) fn number(&mut self, series: &Arc<Series>) -> (usize, bool) {
        if let Some(number) = self.numbers.get(series) {
            return (*number, false);
        }
        let number = self.list.len();
        self.list.push(Arc::clone(series));
        self.numbers.insert(Arc::clone(series), number);
        (number, true)
    }

    pub(super) const fn mark(&self) -> Mark {
        Mark { dictionary: self.id, series: self.list.len() }
    }

    /// A batch with that mark is durable.
    pub(super) fn settle(&mut self, mark: Mark) {
        if mark.dictionary == self.id {
            self.settled = self.settled.max(mark.series);
        }
    }

    /// Which dictionary a batch means, and from where on it defines.
    pub(super) fn put_head(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.id.to_le_bytes());
        put(out, self.settled as u64);
    }

    /// What is defined by a batch.
    pub(super) fn put_definitions(&self, out: &mut SeriesWriter) {
        self.list.iter().skip(self.settled).for_each(|series| out.add(series));
    }
}

/// Which dictionary a batch means, and the number of its first definition.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Head {
    id: u64,
    first: usize,
}

impl Head {
    pub(super) fn read(bytes: &[u8]) -> Result<Self, DecodeError> {
        let mut reader = Reader::new(bytes);
        let (id, first) = (reader.word()?, usize::try_from(reader.varint()?));
        match first {
            Ok(first) if first <= MAX_SERIES => Ok(Self { id, first }),
            _ => Err(DecodeError::Damaged("the number of a series is too large")),
        }
    }
}

/// What a reader knows of a number.
#[derive(Clone, PartialEq, Debug, Default)]
pub(super) enum Definition {
    /// It was defined in a batch that was not read.
    #[default]
    Missing,
    /// A series that this version cannot represent.
    Unknown,
    Known(Arc<Series>),
}

/// A series of a reader.
#[derive(Clone, Debug, Default)]
pub(super) struct Slot {
    pub(super) definition: Definition,
    /// The batch of the newest value, and that value.
    batch: u64,
    before: Before,
}

/// All series that a reader knows.
#[derive(Debug, Default)]
pub(super) struct Tables {
    cache: SeriesCache,
    /// Counts batches.
    batch: u64,
    /// Of a batch that stands by itself.
    own: Vec<Slot>,
    id: Option<u64>,
    shared: Vec<Slot>,
}

impl Tables {
    /// Takes the definitions of a batch in.
    pub(super) fn define(&mut self, head: Option<Head>, column: &[u8]) -> Result<(), DecodeError> {
        self.batch += 1;
        let (slots, first) = match head {
            None => {
                self.own.clear();
                (&mut self.own, 0)
            }
            Some(Head { id, first }) => {
                if self.id.replace(id) != Some(id) {
                    self.shared.clear();
                }
                let slots = &mut self.shared;
                slots.resize(slots.len().max(first), Slot::default());
                (slots, first)
            }
        };
        let most = if head.is_none() { MAX_RECORDS } else { MAX_SERIES - first };
        for (number, series) in (first..).zip(self.cache.read(column, most)?) {
            let definition = series.map_or(Definition::Unknown, Definition::Known);
            match slots.get_mut(number) {
                Some(slot) => slot.definition = definition,
                None => slots.push(Slot { definition, ..Slot::default() }),
            }
        }
        Ok(())
    }

    /// Whether something was defined before what was read of that dictionary.
    pub(super) fn lack(&self, head: Head) -> bool {
        let known = if self.id == Some(head.id) { self.shared.len() } else { 0 };
        head.first > known
    }

    /// A series of the batch that was defined last, and its value before, zero when there is none.
    #[inline]
    pub(super) fn slot(&mut self, is_shared: bool, number: usize) -> Option<(&Definition, &mut Before)> {
        let slots = if is_shared { &mut self.shared } else { &mut self.own };
        let slot = slots.get_mut(number)?;
        if slot.batch != self.batch {
            (slot.batch, slot.before) = (self.batch, Before::default());
        }
        Some((&slot.definition, &mut slot.before))
    }
}
