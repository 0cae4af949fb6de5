//! Numbers packed into as few bits as they need: the inside of chunks.
//!
//! A column of integers is written in blocks of [`BLOCK`] values. Each block has a base: a value is stored as its distance from the base.
//! Of a column either the values themselves or their differences are packed, whichever is shorter. A column of floats is multiplied by a
//! power of ten when that makes all of them whole (most measurements have few decimals), else its bits are written as they are.
//!
//! The distances of a block take as many bits as the largest needs, or each takes as many as it needs itself, with its length before it.
//! The latter is shorter when a few are much larger than the others, as the steps of counters of traffic are. A length is a number of so
//! many that occur in the block, in a truncated binary code; the highest bit of a distance is known from it and left out. Distances from
//! zero to both sides are folded into even and odd numbers when that is shorter.
//!
//! Limits: a reader never trusts a length; what is cut or damaged gives `None`, never a panic.

mod shape;

use crate::golomb::{BitReader, BitWriter};
use shape::{Lengths, Shape};

/// Values that share base and width.
const BLOCK: usize = 128;
/// Bytes in which a value lies wherever it begins.
const WINDOW: usize = 16;
/// Largest power of ten that floats are tried with.
const MAX_DECIMALS: usize = 9;
/// Whole floats beyond this are not exact.
const EXACT: f64 = 9_007_199_254_740_992.0;
/// 2^62
const LARGEST: f64 = 4_611_686_018_427_387_904.0;
const POWERS: [f64; MAX_DECIMALS + 1] = [1.0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9];
/// Marks a column of floats that no power of ten makes whole.
const RAW: u8 = 255;
/// Marks, in the place of a width, a block of which every distance has a length of its own.
const LENGTHS: u8 = 65;
/// The same with distances from zero to both sides.
const FOLDED: u8 = 66;

/// What writes a chunk.
#[derive(Debug, Default)]
pub(crate) struct Packer {
    out: Vec<u8>,
    scratch: Vec<i64>,
}

impl Packer {
    /// The bytes written so far, and an empty packer.
    pub(crate) fn take(&mut self) -> Vec<u8> {
        let fresh = Vec::with_capacity(self.out.len());
        std::mem::replace(&mut self.out, fresh)
    }

    /// One byte.
    pub(crate) fn byte(&mut self, byte: u8) {
        self.out.push(byte);
    }

    /// A length: seven bits a byte, the lowest first.
    pub(crate) fn varint(&mut self, mut n: u64) {
        while n >= 0x80 {
            self.out.push(n.to_le_bytes()[0] | 0x80);
            n >>= 7;
        }
        self.out.push(n.to_le_bytes()[0]);
    }

    /// A signed number, small ones in few bytes.
    pub(crate) fn signed(&mut self, n: i64) {
        self.varint(zigzag(n));
    }

    /// A column of integers.
    pub(crate) fn integers(&mut self, values: &[i64]) {
        let mut differences = std::mem::take(&mut self.scratch);
        differences.clear();
        differences.extend(values.windows(2).map(|w| w[1].wrapping_sub(w[0])));
        let [steps, plain] = [&differences[..], values].map(shapes);
        let bytes = |shapes: &[Shape]| shapes.iter().map(|shape| shape.bytes).sum::<usize>();
        if bytes(&steps) + 8 < bytes(&plain) {
            self.out.push(1);
            self.signed(values.first().copied().unwrap_or(0));
            self.blocks(&differences, &steps);
        } else {
            self.out.push(0);
            self.blocks(values, &plain);
        }
        self.scratch = differences;
    }

    /// A column of floats; every bit pattern comes back as it was.
    pub(crate) fn floats(&mut self, values: &[f64]) {
        let Some((decimals, whole)) = whole(values) else {
            self.out.push(RAW);
            for value in values {
                self.out.extend_from_slice(&value.to_bits().to_le_bytes());
            }
            return;
        };
        self.out.push(decimals);
        self.integers(&whole);
    }

    fn blocks(&mut self, values: &[i64], shapes: &[Shape]) {
        for (block, shape) in values.chunks(BLOCK).zip(shapes) {
            self.signed(shape.base);
            match shape.lengths {
                None => {
                    self.out.push(shape.width);
                    self.bits(block, shape.base, u32::from(shape.width));
                }
                Some(lengths) => {
                    self.out.extend([if shape.folded { FOLDED } else { LENGTHS }, lengths.least, lengths.count]);
                    let mut bits = BitWriter::default();
                    for value in block {
                        lengths.write(shape.distance(*value), &mut bits);
                    }
                    let bytes = bits.take();
                    self.varint(bytes.len() as u64);
                    self.out.extend_from_slice(&bytes);
                }
            }
        }
    }

    fn bits(&mut self, block: &[i64], base: i64, width: u32) {
        if width == 0 {
            return;
        }
        let (mut pending, mut filled) = (0_u128, 0_u32);
        for value in block {
            let distance = value.wrapping_sub(base).cast_unsigned();
            pending |= u128::from(distance) << filled;
            filled += width;
            while filled >= 32 {
                self.out.extend_from_slice(&pending.to_le_bytes()[..4]);
                pending >>= 32;
                filled -= 32;
            }
        }
        let rest = filled.div_ceil(8) as usize;
        self.out.extend_from_slice(&pending.to_le_bytes()[..rest]);
    }
}

/// What reads a chunk.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Unpacker<'a> {
    rest: &'a [u8],
}

impl<'a> Unpacker<'a> {
    /// Reads from the first byte.
    pub(crate) const fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    /// What is left.
    #[cfg(test)]
    pub(crate) const fn rest(&self) -> &'a [u8] {
        self.rest
    }

    pub(crate) fn byte(&mut self) -> Option<u8> {
        let (first, rest) = self.rest.split_first()?;
        self.rest = rest;
        Some(*first)
    }

    pub(crate) fn varint(&mut self) -> Option<u64> {
        let mut n = 0_u64;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            n |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Some(n);
            }
        }
        None
    }

    pub(crate) fn signed(&mut self) -> Option<i64> {
        self.varint().map(unzigzag)
    }

    /// A column of `count` integers, added to `out`.
    pub(crate) fn integers(&mut self, count: usize, out: &mut Vec<i64>) -> Option<()> {
        if self.byte()? == 0 {
            return self.blocks(count, out);
        }
        let mut value = self.signed()?;
        let start = out.len();
        out.push(value);
        self.blocks(count.checked_sub(1)?, out)?;
        for place in out.get_mut(start + 1..)? {
            value = value.wrapping_add(*place);
            *place = value;
        }
        Some(())
    }

    /// A column of `count` floats, added to `out`.
    pub(crate) fn floats(&mut self, count: usize, out: &mut Vec<f64>) -> Option<()> {
        let decimals = self.byte()?;
        if decimals == RAW {
            let (bytes, rest) = self.rest.split_at_checked(count.checked_mul(8)?)?;
            self.rest = rest;
            out.extend(bytes.chunks_exact(8).filter_map(|b| b.try_into().ok()).map(f64::from_le_bytes));
            return Some(());
        }
        let power = *POWERS.get(usize::from(decimals))?;
        let mut whole = Vec::new();
        self.integers(count, &mut whole)?;
        out.extend(whole.iter().map(|n| unscale(*n, power)));
        Some(())
    }

    fn blocks(&mut self, count: usize, out: &mut Vec<i64>) -> Option<()> {
        let mut left = count;
        while left > 0 {
            let n = left.min(BLOCK);
            let base = self.signed()?;
            match self.byte()? {
                mark @ (LENGTHS | FOLDED) => self.lengths(n, base, mark == FOLDED, out)?,
                width => self.bits(n, base, u32::from(width), out)?,
            }
            left -= n;
        }
        Some(())
    }

    fn lengths(&mut self, count: usize, base: i64, folded: bool, out: &mut Vec<i64>) -> Option<()> {
        let lengths = Lengths { least: self.byte()?, count: self.byte()? }.checked()?;
        let length = usize::try_from(self.varint()?).ok()?;
        let (bytes, rest) = self.rest.split_at_checked(length)?;
        self.rest = rest;
        let mut bits = BitReader::new(bytes);
        for _ in 0..count {
            let distance = lengths.read(&mut bits)?;
            out.push(base.wrapping_add(if folded { unzigzag(distance) } else { distance.cast_signed() }));
        }
        Some(())
    }

    fn bits(&mut self, count: usize, base: i64, width: u32, out: &mut Vec<i64>) -> Option<()> {
        if width == 0 {
            out.extend(std::iter::repeat_n(base, count));
            return Some(());
        }
        if width > 64 {
            return None;
        }
        let length = (count * width as usize).div_ceil(8);
        let (bytes, rest) = self.rest.split_at_checked(length)?;
        self.rest = rest;
        let mask = u64::MAX >> (64 - width);
        // With room behind, every value lies in a whole window.
        let mut padded = [0; BLOCK * 8 + WINDOW];
        padded.get_mut(..length)?.copy_from_slice(bytes);
        let windows = (0..count * width as usize).step_by(width as usize).map(|bit| {
            let window =
                padded.get(bit / 8..).and_then(|rest| rest.first_chunk::<WINDOW>()).copied().unwrap_or_default();
            #[expect(clippy::cast_possible_truncation, reason = "masked to at most 64 bits")]
            let distance = (u128::from_le_bytes(window) >> (bit % 8)) as u64 & mask;
            base.wrapping_add(distance.cast_signed())
        });
        out.extend(windows);
        Some(())
    }
}

const fn zigzag(n: i64) -> u64 {
    ((n << 1) ^ (n >> 63)).cast_unsigned()
}

const fn unzigzag(n: u64) -> i64 {
    (n >> 1).cast_signed() ^ -((n & 1).cast_signed())
}

/// How the blocks of a column are written.
fn shapes(values: &[i64]) -> Vec<Shape> {
    values.chunks(BLOCK).map(Shape::of).collect()
}

/// The smallest power of ten that makes every value whole, and the whole values.
pub(crate) fn whole(values: &[f64]) -> Option<(u8, Vec<i64>)> {
    let mut decimals = 0;
    let mut whole = Vec::with_capacity(values.len());
    // A value that does not fit sends everything to the next power; noise with few decimals settles after a few values.
    'powers: while decimals <= MAX_DECIMALS {
        let power = POWERS[decimals];
        whole.clear();
        for value in values {
            match scale(*value, power) {
                Some(n) => whole.push(n),
                None => {
                    decimals += 1;
                    continue 'powers;
                }
            }
        }
        return Some((u8::try_from(decimals).ok()?, whole));
    }
    None
}

/// The whole number that a value is when multiplied by that power of ten, as nearly as `slack`.
pub(crate) fn nearly_whole(value: f64, decimals: u8, slack: f64) -> Option<i64> {
    let power = *POWERS.get(usize::from(decimals))?;
    let scaled = (value * power).round();
    // What is whole itself stays so when a float no longer tells its neighbours apart.
    let most = if decimals == 0 { LARGEST } else { EXACT };
    if scaled.is_nan() || scaled.abs() >= most {
        return None;
    }
    #[expect(clippy::cast_possible_truncation, reason = "whole and below 2^62")]
    let whole = scaled as i64;
    ((unscale(whole, power) - value).abs() <= slack).then_some(whole)
}

/// The value of a whole number; none of more decimals than there are.
pub(crate) fn decimal(whole: i64, decimals: u8) -> Option<f64> {
    POWERS.get(usize::from(decimals)).map(|power| unscale(whole, *power))
}

fn scale(value: f64, power: f64) -> Option<i64> {
    let scaled = (value * power).round();
    if scaled.is_nan() || scaled.abs() >= EXACT {
        return None;
    }
    #[expect(clippy::cast_possible_truncation, reason = "whole and below 2^53")]
    let whole = scaled as i64;
    (unscale(whole, power).to_bits() == value.to_bits()).then_some(whole)
}

#[expect(clippy::cast_precision_loss, reason = "below 2^53 when written by us")]
fn unscale(whole: i64, power: f64) -> f64 {
    whole as f64 / power
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::shape::width;
    use super::*;

    fn integers_back(values: &[i64]) -> (usize, Vec<i64>) {
        let mut packer = Packer::default();
        packer.integers(values);
        let bytes = packer.take();
        let mut out = Vec::new();
        let mut reader = Unpacker::new(&bytes);
        reader.integers(values.len(), &mut out).unwrap();
        assert!(reader.rest().is_empty());
        (bytes.len(), out)
    }

    #[test]
    fn regular_columns_take_almost_nothing() {
        let times: Vec<i64> = (0..1000).map(|n| 1_700_000_000_000 + n * 1000).collect();
        let (bytes, back) = integers_back(&times);
        assert_eq!(back, times);
        assert!(bytes < 40, "{bytes}");
    }

    #[test]
    fn decimals_are_found() {
        let values = [0.125, 99.999, -3.5, 0.001];
        assert_eq!(whole(&values).unwrap().0, 3);
        assert!(whole(&[std::f64::consts::PI]).is_none());
        assert!(whole(&[-0.0]).is_none(), "the sign of zero is kept");
    }

    /// Numbers of all sizes, as many of each.
    fn uneven(n: u64) -> i64 {
        let noise = n.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        (noise >> 20 & ((1 << (noise >> 59 & 15)) - 1)).cast_signed()
    }

    #[test]
    fn uneven_steps_take_little_more_than_each_needs() {
        for sign in [1, -1] {
            let steps: Vec<i64> = (0..1280).map(|n| uneven(n) * if n % 2 == 0 { 1 } else { sign }).collect();
            let needed: usize = steps.iter().map(|n| usize::from(width(zigzag(*n)))).sum();
            let (bytes, back) = integers_back(&steps);
            assert_eq!(back, steps);
            // Four bits for which of 16 lengths.
            assert!(bytes * 8 < needed + 1280 * 9 / 2, "{bytes} bytes where {needed} bits are needed");
            assert!(bytes * 10 < 1280 * 15 * 9 / 8, "{bytes} bytes, less than nine tenths of equal widths");
        }
    }

    proptest! {
        #[test]
        fn uneven_integers_come_back(
            base in any::<i64>(),
            steps in prop::collection::vec((any::<i64>(), 0_u32..64), 0..400),
        ) {
            let values: Vec<i64> = steps.iter().map(|(step, size)| base.wrapping_add(step >> size)).collect();
            prop_assert_eq!(integers_back(&values).1, values);
            let values: Vec<i64> = steps.iter().map(|(step, size)| step >> size).collect();
            prop_assert_eq!(integers_back(&values).1, values);
        }

        #[test]
        fn integers_come_back(values in prop::collection::vec(any::<i64>(), 0..400)) {
            prop_assert_eq!(integers_back(&values).1, values);
        }

        #[test]
        fn narrow_integers_come_back(base in any::<i64>(), steps in prop::collection::vec(-500_i64..500, 0..400)) {
            let values: Vec<i64> = steps.iter().map(|s| base.wrapping_add(*s)).collect();
            prop_assert_eq!(integers_back(&values).1, values);
        }

        #[test]
        fn floats_come_back_bit_by_bit(values in prop::collection::vec(any::<f64>(), 0..300), decimal in any::<bool>()) {
            let values: Vec<f64> =
                if decimal { values.iter().map(|v| (v % 1e6 * 1000.0).round() / 1000.0).collect() } else { values };
            let mut packer = Packer::default();
            packer.floats(&values);
            let bytes = packer.take();
            let mut out = Vec::new();
            Unpacker::new(&bytes).floats(values.len(), &mut out).unwrap();
            let bits = |list: &[f64]| list.iter().map(|v| v.to_bits()).collect::<Vec<_>>();
            prop_assert_eq!(bits(&out), bits(&values));
        }

        #[test]
        fn damage_never_panics(bytes in prop::collection::vec(any::<u8>(), 0..200), count in 0_usize..300) {
            let _ = Unpacker::new(&bytes).integers(count, &mut Vec::new());
            let _ = Unpacker::new(&bytes).floats(count, &mut Vec::new());
        }
    }
}
