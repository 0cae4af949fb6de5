//! A column of numbers that often grow by the same step: (step, how often) pairs.
//!
//! Equal numbers are runs of step zero, a series index that counts up is one run of step one. Sums wrap, so that every number has
//! a form.

use super::DecodeError;
use super::bytes::{Reader, put, zigzag};

/// Writes such a column.
#[derive(Debug, Default)]
pub(super) struct RunWriter {
    out: Vec<u8>,
    last: i64,
    step: i64,
    length: u64,
}

/// Reads such a column.
#[derive(Debug, Default)]
pub(super) struct RunReader<'a> {
    bytes: Reader<'a>,
    last: i64,
    step: i64,
    left: u64,
}

impl RunWriter {
    #[inline]
    pub(super) fn push(&mut self, value: i64) {
        let step = value.wrapping_sub(self.last);
        if step != self.step {
            self.flush();
            self.step = step;
        }
        self.length += 1;
        self.last = value;
    }

    /// The whole column; then it begins anew.
    pub(super) fn finish(&mut self, write: impl FnOnce(&[u8])) {
        self.flush();
        write(&self.out);
        self.out.clear();
        (self.last, self.step) = (0, 0);
    }

    fn flush(&mut self) {
        if self.length > 0 {
            put(&mut self.out, zigzag(self.step));
            put(&mut self.out, self.length);
            self.length = 0;
        }
    }
}

impl<'a> RunReader<'a> {
    pub(super) const fn new(bytes: &'a [u8]) -> Self {
        Self { bytes: Reader::new(bytes), last: 0, step: 0, left: 0 }
    }

    #[inline]
    pub(super) fn next(&mut self) -> Result<i64, DecodeError> {
        if self.left == 0 {
            self.step = self.bytes.signed()?;
            self.left = self.bytes.varint()?;
            if self.left == 0 {
                return Err(DecodeError::Damaged("an empty run"));
            }
        }
        self.left -= 1;
        self.last = self.last.wrapping_add(self.step);
        Ok(self.last)
    }

    /// The next value as an index.
    #[inline]
    pub(super) fn index(&mut self) -> Result<usize, DecodeError> {
        usize::try_from(self.next()?).map_err(|_| DecodeError::Damaged("a negative index"))
    }
}
