//! How a block of integers takes the fewest bits.

use super::zigzag;
use crate::golomb::{BitReader, BitWriter};

/// A block of fewer values is not worth lengths.
const MIN_LENGTHS: usize = 16;

/// The lengths in bits, of numbers, that occur in a block.
#[derive(Clone, Copy, Debug)]
pub(super) struct Lengths {
    pub(super) least: u8,
    /// How many, from the least to the greatest; at least one.
    pub(super) count: u8,
}

impl Lengths {
    /// These, when no number is longer than 64 bits.
    pub(super) fn checked(self) -> Option<Self> {
        (self.count > 0 && u32::from(self.least) + u32::from(self.count) <= u64::BITS + 1).then_some(self)
    }

    /// Bits of the shorter of the two codes for a length, and how many lengths have those.
    fn code(self) -> (u32, u32) {
        let bits = u32::from(self.count).checked_ilog2().unwrap_or(0);
        (bits, (2 << bits) - u32::from(self.count))
    }

    pub(super) fn write(self, n: u64, out: &mut BitWriter) {
        let length = u64::BITS - n.leading_zeros();
        let (place, (bits, short)) = (length - u32::from(self.least), self.code());
        if place < short {
            out.bits(place.into(), bits);
        } else {
            out.bits((place + short).into(), bits + 1);
        }
        out.bits(n, length.saturating_sub(1));
    }

    pub(super) fn read(self, from: &mut BitReader<'_>) -> Option<u64> {
        let (bits, short) = self.code();
        let mut place = u32::try_from(from.bits(bits)?).ok()?;
        if place >= short {
            place = (place << 1 | u32::try_from(from.bits(1)?).ok()?) - short;
        }
        let length = u32::from(self.least) + place;
        let Some(below) = length.checked_sub(1) else { return Some(0) };
        Some(1_u64.checked_shl(below)? | from.bits(below)?)
    }

    /// The lengths of numbers of which so many have each, and the bits that they all take.
    fn of(numbers: &[u8; 65]) -> (Self, usize) {
        let place = |at: Option<usize>| at.and_then(|n| u8::try_from(n).ok()).unwrap_or(0);
        let least = place(numbers.iter().position(|n| *n > 0));
        let most = place(numbers.iter().rposition(|n| *n > 0));
        let lengths = Self { least, count: most - least + 1 };
        let (bits, short) = lengths.code();
        // Lengths that are less than the least have no numbers.
        let bits_of = |(length, n): (u32, &u8)| {
            let is_longer = length.saturating_sub(least.into()) >= short;
            usize::from(*n) * (bits + u32::from(is_longer) + length.saturating_sub(1)) as usize
        };
        (lengths, (0..).zip(numbers).map(bits_of).sum())
    }
}

/// How a block is written.
#[derive(Clone, Copy, Debug)]
pub(super) struct Shape {
    pub(super) base: i64,
    /// Bits of each distance, unless they have lengths of their own.
    pub(super) width: u8,
    pub(super) lengths: Option<Lengths>,
    pub(super) folded: bool,
    /// Bytes that it takes, nearly.
    pub(super) bytes: usize,
}

impl Shape {
    /// The shortest.
    pub(super) fn of(block: &[i64]) -> Self {
        let (base, width) = frame(block);
        let head = |base: i64| 2 + usize::from(width_of_signed(base)) / 7;
        let bytes = head(base) + block.len() * usize::from(width) / 8;
        let mut best = Self { base, width, lengths: None, folded: false, bytes };
        // Of small distances the lengths take more than they save.
        if block.len() < MIN_LENGTHS || width < 4 {
            return best;
        }
        for (base, folded) in [(base, false), (0, true)] {
            let mut numbers = [0; 65];
            let shape = Self { base, folded, ..best };
            for value in block {
                let length = u64::BITS - shape.distance(*value).leading_zeros();
                if let Some(n) = numbers.get_mut(length as usize) {
                    *n += 1;
                }
            }
            let (lengths, bits) = Lengths::of(&numbers);
            let bytes = head(base) + 4 + bits / 8;
            if bytes < best.bytes {
                best = Self { bytes, lengths: Some(lengths), ..shape };
            }
        }
        best
    }

    pub(super) fn distance(&self, value: i64) -> u64 {
        let distance = value.wrapping_sub(self.base);
        if self.folded { zigzag(distance) } else { distance.cast_unsigned() }
    }
}

/// Base and width of a block.
fn frame(block: &[i64]) -> (i64, u8) {
    let (mut low, mut high) = (i64::MAX, i64::MIN);
    for value in block {
        low = low.min(*value);
        high = high.max(*value);
    }
    let spread = high.wrapping_sub(low).cast_unsigned();
    (low, width(spread))
}

pub(super) fn width(spread: u64) -> u8 {
    u8::try_from(u64::BITS - spread.leading_zeros()).unwrap_or(64)
}

fn width_of_signed(n: i64) -> u8 {
    width(zigzag(n))
}
