//! The texts of a batch, each written once and referred to by its number.
//!
//! Limits: a table has at most as many texts as its records refer to; texts are cut to what [`Untrusted`] keeps.

use std::collections::HashMap;
use std::sync::Arc;

use foldhash::fast::RandomState;

use super::DecodeError;
use super::bytes::{Reader, put, put_slice};
use crate::Untrusted;

/// Texts whose number is known by where they are in memory, most of which come again soon.
const RECENT: usize = 64;

/// Texts that are being written.
#[derive(Debug)]
pub(super) struct TextWriter {
    numbers: HashMap<Arc<str>, u32, RandomState>,
    /// Addresses of texts in `numbers`, which keeps them alive: nothing else can be there.
    recent: [(usize, u32); RECENT],
    out: Vec<u8>,
}

impl Default for TextWriter {
    fn default() -> Self {
        Self { numbers: HashMap::default(), recent: [(0, 0); RECENT], out: Vec::new() }
    }
}

/// Texts that were read. Each becomes a shared value when it is first used.
#[derive(Debug, Default)]
pub(super) struct Texts<'a> {
    texts: Vec<Text<'a>>,
}

#[derive(Debug)]
struct Text<'a> {
    raw: &'a str,
    plain: Option<Arc<str>>,
    untrusted: Option<Untrusted>,
}

impl TextWriter {
    /// The number of a text.
    pub(super) fn number(&mut self, text: &Arc<str>) -> u32 {
        let address = text.as_ptr().addr();
        let recent = &mut self.recent[address / 16 % RECENT];
        if recent.0 == address {
            return recent.1;
        }
        match self.numbers.get_key_value(text) {
            Some((kept, number)) => {
                if Arc::ptr_eq(kept, text) {
                    *recent = (address, *number);
                }
                *number
            }
            None => self.add(text),
        }
    }

    /// The body of the part; then the table begins anew.
    pub(super) fn finish(&mut self, out: &mut Vec<u8>) {
        put(out, self.numbers.len() as u64);
        out.extend_from_slice(&self.out);
        self.numbers.clear();
        self.recent = [(0, 0); RECENT];
        self.out.clear();
    }

    fn add(&mut self, text: &Arc<str>) -> u32 {
        let number = u32::try_from(self.numbers.len()).unwrap_or(u32::MAX);
        self.numbers.insert(Arc::clone(text), number);
        put_slice(&mut self.out, text.as_bytes());
        number
    }
}

impl<'a> Texts<'a> {
    pub(super) fn read(body: &'a [u8]) -> Result<Self, DecodeError> {
        let mut reader = Reader::new(body);
        let count = reader.count()?;
        let mut texts = Vec::with_capacity(count.min(4096));
        for _ in 0..count {
            texts.push(Text { raw: text(reader.slice()?)?, plain: None, untrusted: None });
        }
        Ok(Self { texts })
    }

    /// A text that Netwatch chose.
    pub(super) fn plain(&mut self, number: usize) -> Result<Arc<str>, DecodeError> {
        let text = self.at(number)?;
        Ok(Arc::clone(text.plain.get_or_insert_with(|| Arc::from(cut(text.raw)))))
    }

    /// A text that somebody else chose.
    pub(super) fn untrusted(&mut self, number: usize) -> Result<Untrusted, DecodeError> {
        let text = self.at(number)?;
        Ok(text.untrusted.get_or_insert_with(|| Untrusted::new(text.raw)).clone())
    }

    fn at(&mut self, number: usize) -> Result<&mut Text<'a>, DecodeError> {
        self.texts.get_mut(number).ok_or(DecodeError::Damaged("a text that is not there"))
    }
}

/// Bytes that must be UTF-8.
pub(super) fn text(bytes: &[u8]) -> Result<&str, DecodeError> {
    std::str::from_utf8(bytes).map_err(|_| DecodeError::Damaged("a text is not UTF-8"))
}

/// As much of a text as is kept.
pub(super) fn cut(text: &str) -> &str {
    text.get(..text.floor_char_boundary(Untrusted::MAX_BYTES)).unwrap_or_default()
}
