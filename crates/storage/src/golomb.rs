//! Small numbers in few bits: exponential Golomb codes, as in ITU-T H.264 (9.1), of any order.
//!
//! A code of order `k` takes `k + 1` bits for a number below 2^k, and two more each time the number doubles. The first bit of a byte is its
//! highest.
//!
//! Limits: numbers below 2^63. A reader never trusts what it reads: what is cut or damaged gives `None`, never a panic.

/// Largest order.
pub(crate) const MAX_ORDER: u32 = 15;

/// What writes codes.
#[derive(Debug, Default)]
pub(crate) struct BitWriter {
    out: Vec<u8>,
    /// Bits of the last byte that are not used yet.
    free: u32,
}

impl BitWriter {
    /// The bytes written so far; bits that are left of the last one are zero.
    pub(crate) fn take(&mut self) -> Vec<u8> {
        self.free = 0;
        std::mem::take(&mut self.out)
    }

    /// The lowest `count` bits of a number, at most 64.
    pub(crate) fn bits(&mut self, n: u64, count: u32) {
        let mut left = count;
        while left > 0 {
            if self.free == 0 {
                self.out.push(0);
                self.free = 8;
            }
            let now = left.min(self.free);
            left -= now;
            self.free -= now;
            let part = (n >> left).to_le_bytes()[0] & (0xff_u8 >> (8 - now));
            if let Some(last) = self.out.last_mut() {
                *last |= part << self.free;
            }
        }
    }

    /// A code of order `k`.
    pub(crate) fn code(&mut self, n: u64, k: u32) {
        let n = n.saturating_add(1 << k);
        let length = u64::BITS - n.leading_zeros();
        self.bits(0, length - 1 - k);
        self.bits(n, length);
    }

    /// A code of a signed number: 0, −1, 1, −2, 2 and so on.
    pub(crate) fn signed(&mut self, n: i64, k: u32) {
        self.code(((n << 1) ^ (n >> 63)).cast_unsigned(), k);
    }
}

/// The order in which numbers of that mean take the fewest bits, nearly.
pub(crate) fn order(mean: u64) -> u32 {
    mean.checked_ilog2().unwrap_or(0).min(MAX_ORDER)
}

/// What reads codes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct BitReader<'a> {
    rest: &'a [u8],
    /// Bits that were taken but not read, the next one highest.
    taken: u64,
    count: u32,
}

impl<'a> BitReader<'a> {
    /// Reads from the first bit.
    pub(crate) const fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes, taken: 0, count: 0 }
    }

    fn fill(&mut self) {
        if let Some((eight, _)) = self.rest.split_first_chunk() {
            self.taken |= u64::from_be_bytes(*eight) >> self.count;
            let bytes = (63 - self.count) / 8;
            self.rest = self.rest.get(bytes as usize..).unwrap_or_default();
            self.count += bytes * 8;
            // What does not make a whole byte is read again.
            self.taken &= !(u64::MAX >> self.count);
            return;
        }
        while self.count <= 56
            && let Some((first, rest)) = self.rest.split_first()
        {
            self.rest = rest;
            self.taken |= u64::from(*first) << (56 - self.count);
            self.count += 8;
        }
    }

    /// So many bits, at most 64.
    pub(crate) fn bits(&mut self, count: u32) -> Option<u64> {
        if count > 32 {
            let high = self.bits(count - 32)?;
            return Some(high << 32 | self.bits(32)?);
        }
        if count == 0 {
            return Some(0);
        }
        self.fill();
        self.count = self.count.checked_sub(count)?;
        let n = self.taken >> (64 - count);
        self.taken <<= count;
        Some(n)
    }

    /// A code of order `k`.
    pub(crate) fn code(&mut self, k: u32) -> Option<u64> {
        self.fill();
        let length = self.taken.leading_zeros() * 2 + k + 1;
        if length <= self.count {
            let n = self.taken >> (64 - length);
            self.taken = self.taken.checked_shl(length).unwrap_or(0);
            self.count -= length;
            return n.checked_sub(1 << k);
        }
        self.long_code(k)
    }

    /// One that may reach beyond what is taken.
    #[cold]
    fn long_code(&mut self, k: u32) -> Option<u64> {
        let mut zeros = 0;
        loop {
            self.fill();
            let more = self.taken.leading_zeros().min(self.count);
            zeros += more;
            if more < self.count {
                self.taken <<= more;
                self.count -= more;
                break;
            }
            // Nothing but zeros was left.
            (self.taken, self.count) = (0, 0);
            if self.rest.is_empty() {
                return None;
            }
        }
        let length = zeros.checked_add(k)?.checked_add(1).filter(|length| *length <= u64::BITS)?;
        self.bits(length)?.checked_sub(1 << k)
    }

    /// A code of a signed number.
    pub(crate) fn signed(&mut self, k: u32) -> Option<i64> {
        let n = self.code(k)?;
        Some((n >> 1).cast_signed() ^ -((n & 1).cast_signed()))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn codes_are_those_of_the_standard() {
        // ITU-T H.264, table 9-2: 0 is 1, 1 is 010, 2 is 011, 3 is 00100.
        let mut writer = BitWriter::default();
        (0..4).for_each(|n| writer.code(n, 0));
        assert_eq!(writer.take(), [0b1010_0110, 0b0100_0000]);
        let mut writer = BitWriter::default();
        writer.code(5, 2);
        assert_eq!(writer.take(), [0b0100_1000], "5 of order 2 is 01001");
    }

    proptest! {
        #[test]
        fn what_was_written_is_read(
            numbers in prop::collection::vec((0..63_u32, any::<u64>(), 0..=MAX_ORDER, any::<i32>()), 0..200),
        ) {
            let mut writer = BitWriter::default();
            let numbers: Vec<_> = numbers.iter().map(|(size, n, k, signed)| (n >> 1 >> size, *k, i64::from(*signed))).collect();
            for (n, k, signed) in &numbers {
                writer.code(*n, *k);
                writer.signed(*signed, *k);
                writer.bits(*n, 63);
            }
            let bytes = writer.take();
            let mut reader = BitReader::new(&bytes);
            for (n, k, signed) in numbers {
                prop_assert_eq!(reader.code(k), Some(n));
                prop_assert_eq!(reader.signed(k), Some(signed));
                prop_assert_eq!(reader.bits(63), Some(n));
            }
            prop_assert_eq!(reader.code(0), None, "what fills the last byte is no code");
        }

        #[test]
        fn damage_never_panics(bytes in prop::collection::vec(any::<u8>(), 0..100), k in 0..=MAX_ORDER) {
            let mut reader = BitReader::new(&bytes);
            while reader.code(k).is_some() {}
            let mut reader = BitReader::new(&bytes);
            while reader.bits(k + 1).is_some() {}
        }
    }
}
