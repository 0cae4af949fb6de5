//! Samples as columns.
//!
//! Whole numbers are differences to the value before of the same series. So are floats that are exact thousandths, which most
//! gauges are; other floats are their eight bytes.

use std::collections::HashMap;
use std::sync::Arc;

use foldhash::fast::RandomState;

use super::DecodeError;
use super::bytes::{Reader, put, put_slice, unzigzag, zigzag};
use super::dictionary::{Definition, Dictionary, Head, Mark, Tables};
use super::labels::SeriesWriter;
use super::runs::{RunReader, RunWriter};
use crate::{Record, Sample, Series, Timestamp, Value};

/// Columns.
mod column {
    pub(super) const SERIES: u64 = 1;
    pub(super) const INDEX: u64 = 2;
    pub(super) const TIME: u64 = 3;
    /// A bit for each sample: set for floats.
    pub(super) const FLOAT: u64 = 4;
    /// A varint for each sample: zero for a float that is in the column of exact ones.
    pub(super) const VALUE: u64 = 5;
    /// Eight bytes for each float that is no thousandth.
    pub(super) const EXACT: u64 = 6;
    /// Which dictionary the indexes mean, and the number of the first series that is defined here.
    pub(super) const DICTIONARY: u64 = 7;
}

/// Floats are tried as thousandths up to here; sums and differences of such stay far from the ends of an `i64`.
const MOST_THOUSANDTHS: f64 = 4.0e15;

/// Samples that are being written.
#[derive(Debug, Default)]
pub(super) struct SampleWriter {
    count: u64,
    dictionary: Option<Dictionary>,
    /// Counts batches.
    batch: u64,
    /// Series by address, which is theirs as long as the records are borrowed or the dictionary keeps them.
    numbers: HashMap<usize, usize, RandomState>,
    known: Vec<Known>,
    series: SeriesWriter,
    last: usize,
    index: RunWriter,
    time: RunWriter,
    float: Vec<u8>,
    value: Vec<u8>,
    exact: Vec<u8>,
}

/// A series: its address, the batch of its newest value, and that value.
#[derive(Clone, Copy, Debug)]
struct Known {
    address: usize,
    batch: u64,
    before: Before,
}

/// The newest value of a series, as a whole number and as thousandths.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Before {
    integer: u64,
    thousandths: i64,
}

impl SampleWriter {
    pub(super) fn sharing(seed: u64) -> Self {
        Self { dictionary: Some(Dictionary::new(seed)), ..Self::default() }
    }

    /// Begins a new dictionary, if there is one at all.
    pub(super) fn begin(&mut self) {
        if let Some(dictionary) = &mut self.dictionary {
            dictionary.renew();
            self.forget();
        }
    }

    pub(super) fn begin_if_full(&mut self) {
        if self.dictionary.as_ref().is_some_and(Dictionary::is_full) {
            self.begin();
        }
    }

    pub(super) fn settle(&mut self, mark: Mark) {
        if let Some(dictionary) = &mut self.dictionary {
            dictionary.settle(mark);
        }
    }

    /// What this batch defines; nothing when it has no samples.
    pub(super) fn mark(&self) -> Mark {
        let dictionary = self.dictionary.as_ref().filter(|_| self.count > 0);
        dictionary.map_or_else(Mark::default, Dictionary::mark)
    }

    /// Whether this batch names series of a dictionary.
    pub(super) const fn is_sharing(&self) -> bool {
        self.dictionary.is_some() && self.count > 0
    }

    pub(super) fn push(&mut self, sample: &Sample) {
        let number = self.number(&sample.series);
        self.index.push(i64::try_from(number).unwrap_or(i64::MAX));
        self.time.push(sample.time.nanos());
        let bit = u8::try_from(self.count % 8).unwrap_or(0);
        if bit == 0 {
            self.float.push(0);
        }
        self.count += 1;
        let Some(Known { before, batch, .. }) = self.known.get_mut(number) else { return };
        if *batch != self.batch {
            (*batch, *before) = (self.batch, Before::default());
        }
        match sample.value {
            Value::Integer(n) => {
                let step = n.wrapping_sub(before.integer).cast_signed();
                before.integer = n;
                put(&mut self.value, zigzag(step));
            }
            Value::Float(x) => {
                if let Some(byte) = self.float.last_mut() {
                    *byte |= 1 << bit;
                }
                if let Some(thousandths) = as_thousandths(x) {
                    put(&mut self.value, zigzag(thousandths - before.thousandths) + 1);
                    before.thousandths = thousandths;
                } else {
                    self.value.push(0);
                    self.exact.extend_from_slice(&x.to_bits().to_le_bytes());
                }
            }
        }
    }

    /// The body of the part; then it begins anew. False when there is none.
    pub(super) fn finish(&mut self, out: &mut Vec<u8>) -> bool {
        if self.count == 0 {
            return false;
        }
        put(out, self.count);
        let mut write = |id, bytes: &[u8]| {
            put(out, id);
            put_slice(out, bytes);
        };
        if let Some(dictionary) = &self.dictionary {
            let mut head = Vec::new();
            dictionary.put_head(&mut head);
            write(column::DICTIONARY, &head);
            dictionary.put_definitions(&mut self.series);
        }
        self.series.finish(|bytes| write(column::SERIES, bytes));
        self.index.finish(|bytes| write(column::INDEX, bytes));
        self.time.finish(|bytes| write(column::TIME, bytes));
        for (id, bytes) in
            [(column::FLOAT, &mut self.float), (column::VALUE, &mut self.value), (column::EXACT, &mut self.exact)]
        {
            write(id, bytes);
            bytes.clear();
        }
        if self.dictionary.is_none() {
            self.forget();
        }
        self.batch += 1;
        self.count = 0;
        true
    }

    fn forget(&mut self) {
        self.numbers.clear();
        self.known.clear();
        self.last = 0;
    }

    /// The number of a series; most often the one after the last, or the last again.
    fn number(&mut self, series: &Arc<Series>) -> usize {
        let address = Arc::as_ptr(series).addr();
        let next = if self.last + 1 < self.known.len() { self.last + 1 } else { 0 };
        for likely in [next, self.last] {
            if self.known.get(likely).is_some_and(|known| known.address == address) {
                self.last = likely;
                return likely;
            }
        }
        self.last = self.numbers.get(&address).copied().unwrap_or_else(|| self.look_up(address, series));
        self.last
    }

    /// The number of a series that is not known by its address.
    fn look_up(&mut self, address: usize, series: &Arc<Series>) -> usize {
        let (number, is_new) = match &mut self.dictionary {
            Some(dictionary) => dictionary.number(series),
            None => {
                self.series.add(series);
                (self.known.len(), true)
            }
        };
        // The address of an equal series that nobody keeps may be another's with the next batch.
        if is_new {
            self.numbers.insert(address, number);
            self.known.push(Known { address, batch: self.batch, before: Before::default() });
        }
        number
    }
}

/// Samples that are being read.
#[derive(Debug, Default)]
pub(super) struct SampleReader<'a> {
    left: u64,
    /// Whether indexes mean the dictionary.
    is_shared: bool,
    /// Samples whose series was defined in a batch that was not read.
    pub(super) lost: u64,
    index: RunReader<'a>,
    time: RunReader<'a>,
    float: Reader<'a>,
    bits: u8,
    bits_left: u8,
    value: Reader<'a>,
    exact: Reader<'a>,
}

impl<'a> SampleReader<'a> {
    /// `shares`: the batch is of a version that may mean a dictionary.
    pub(super) fn new(body: &'a [u8], shares: bool, tables: &mut Tables) -> Result<Self, DecodeError> {
        let mut body = Reader::new(body);
        let mut made = Self { left: body.varint()?, ..Self::default() };
        let (mut head, mut definitions) = (None, &[][..]);
        while !body.is_empty() {
            let id = body.varint()?;
            let bytes = body.slice()?;
            match id {
                column::DICTIONARY if shares => head = Some(Head::read(bytes)?),
                column::SERIES => definitions = bytes,
                column::INDEX => made.index = RunReader::new(bytes),
                column::TIME => made.time = RunReader::new(bytes),
                column::FLOAT => made.float = Reader::new(bytes),
                column::VALUE => made.value = Reader::new(bytes),
                column::EXACT => made.exact = Reader::new(bytes),
                _ => {}
            }
        }
        made.is_shared = head.is_some();
        tables.define(head, definitions)?;
        Ok(made)
    }

    /// The dictionary that is meant, without reading anything else.
    pub(super) fn head(body: &[u8]) -> Result<Option<Head>, DecodeError> {
        let mut body = Reader::new(body);
        body.varint()?;
        while !body.is_empty() {
            let (id, bytes) = (body.varint()?, body.slice()?);
            if id == column::DICTIONARY {
                return Head::read(bytes).map(Some);
            }
        }
        Ok(None)
    }

    /// The next sample; none in the place of one of an unknown or lost series.
    pub(super) fn next(&mut self, tables: &mut Tables) -> Result<Option<Record>, DecodeError> {
        self.left = self.left.checked_sub(1).ok_or(DecodeError::Damaged("more samples in the order than there are"))?;
        let index = self.index.index()?;
        let time = Timestamp::from_nanos(self.time.next()?);
        let is_float = self.is_float()?;
        let slot = tables.slot(self.is_shared, index);
        let (definition, before) = slot.ok_or(DecodeError::Damaged("a series that is not there"))?;
        let coded = self.value.varint()?;
        let value = if !is_float {
            before.integer = before.integer.wrapping_add(unzigzag(coded).cast_unsigned());
            Value::Integer(before.integer)
        } else if let Some(step) = coded.checked_sub(1) {
            before.thousandths = before.thousandths.wrapping_add(unzigzag(step));
            Value::Float(from_thousandths(before.thousandths))
        } else {
            Value::Float(f64::from_bits(self.exact.word()?))
        };
        Ok(match definition {
            Definition::Known(series) => Some(Record::Sample(Sample { series: Arc::clone(series), time, value })),
            Definition::Unknown => None,
            Definition::Missing => {
                self.lost += 1;
                None
            }
        })
    }

    fn is_float(&mut self) -> Result<bool, DecodeError> {
        if self.bits_left == 0 {
            (self.bits, self.bits_left) = (self.float.byte()?, 8);
        }
        let is_set = self.bits & 1 != 0;
        self.bits >>= 1;
        self.bits_left -= 1;
        Ok(is_set)
    }
}

/// A float as thousandths, when that is exactly what it is.
#[expect(clippy::cast_possible_truncation, reason = "within bounds, and compared afterwards")]
fn as_thousandths(x: f64) -> Option<i64> {
    let scaled = x * 1000.0;
    if scaled.abs() >= MOST_THOUSANDTHS || scaled.is_nan() {
        return None;
    }
    let whole = (scaled + 0.5_f64.copysign(scaled)) as i64;
    (from_thousandths(whole).to_bits() == x.to_bits()).then_some(whole)
}

#[expect(clippy::cast_precision_loss, reason = "what was written is below 2^53; of damaged bytes any float will do")]
fn from_thousandths(whole: i64) -> f64 {
    whole as f64 / 1000.0
}
