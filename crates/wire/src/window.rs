//! The first bytes of a byte stream, put together from pieces that come in any order.
//!
//! A hello may span several TCP segments or QUIC packets, and these may be seen late, twice or overlapping. A [`Window`] keeps the
//! first [`Window::CAPACITY`] bytes of a stream and a bit for each byte that is there. Pieces beyond the end are cut; bytes that
//! are there stay as they are, so that a later piece never changes what was decided on. Memory is constant.

/// The first bytes of a stream.
#[derive(Clone)]
pub struct Window {
    bytes: [u8; Self::CAPACITY],
    present: [u64; Self::CAPACITY / 64],
    contiguous: usize,
}

impl Window {
    /// Bytes kept. Post-quantum hellos are 1.8 to 2.2 KB long.
    pub const CAPACITY: usize = 4096;

    /// An empty window.
    #[must_use]
    pub const fn new() -> Self {
        Self { bytes: [0; Self::CAPACITY], present: [0; Self::CAPACITY / 64], contiguous: 0 }
    }

    /// Forgets all bytes.
    pub fn clear(&mut self) {
        self.present.fill(0);
        self.contiguous = 0;
    }

    /// Adds the bytes that stand at `offset` of the stream.
    pub fn insert(&mut self, offset: u64, piece: &[u8]) {
        let Some(start) = usize::try_from(offset).ok().filter(|start| *start < Self::CAPACITY) else { return };
        let end = start.saturating_add(piece.len()).min(Self::CAPACITY);
        let mut piece = piece;
        let mut at = start;
        while at < end {
            let stop = (at / 64 * 64 + 64).min(end);
            let (now, rest) = piece.split_at(stop - at);
            self.insert_in_word(at, now);
            (piece, at) = (rest, stop);
        }
        self.advance();
    }

    /// Adds bytes whose places have their bits in one word.
    fn insert_in_word(&mut self, at: usize, bytes: &[u8]) {
        let mask = (u64::MAX >> (64 - bytes.len())) << (at % 64);
        let Some(word) = self.present.get_mut(at / 64) else { return };
        let Some(places) = self.bytes.get_mut(at..at + bytes.len()) else { return };
        if *word & mask == 0 {
            places.copy_from_slice(bytes);
        } else {
            let there = *word >> (at % 64);
            let empty = places.iter_mut().zip(bytes).enumerate().filter(|(bit, _)| there & (1 << bit) == 0);
            empty.for_each(|(_, (place, byte))| *place = *byte);
        }
        *word |= mask;
    }

    /// The bytes from the start of the stream up to the first gap.
    #[must_use]
    pub fn prefix(&self) -> &[u8] {
        self.bytes.get(..self.contiguous).unwrap_or_default()
    }

    /// Whether no more byte has a place.
    #[must_use]
    pub const fn is_full(&self) -> bool {
        self.contiguous == Self::CAPACITY
    }

    fn advance(&mut self) {
        while let Some(word) = self.present.get(self.contiguous / 64) {
            let shift = self.contiguous % 64;
            let run = (word >> shift).trailing_ones() as usize;
            self.contiguous += run;
            if shift + run < 64 {
                return;
            }
        }
    }
}

impl Default for Window {
    fn default() -> Self {
        Self::new()
    }
}

impl std::fmt::Debug for Window {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Window").field("contiguous", &self.contiguous).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_gap_is_closed_by_a_late_piece() {
        let mut window = Window::new();
        window.insert(3, b"def");
        assert_eq!(window.prefix(), b"");
        window.insert(0, b"abcX");
        assert_eq!(window.prefix(), b"abcdef", "a byte that is there stays");
        window.clear();
        assert_eq!(window.prefix(), b"");
    }

    #[test]
    fn pieces_beyond_the_end_are_cut() {
        let mut window = Window::new();
        window.insert(u64::MAX, b"x");
        window.insert(0, &[7; Window::CAPACITY + 9]);
        assert!(window.is_full());
        assert_eq!(window.prefix().len(), Window::CAPACITY);
    }

    proptest! {
        #[test]
        fn any_cut_in_any_order_gives_the_stream(
            stream in prop::collection::vec(any::<u8>(), 1..5000),
            mut cuts in prop::collection::vec((0_usize..5000, 1_usize..900), 0..60),
        ) {
            for (start, length) in &mut cuts {
                *start = (*start).min(stream.len() - 1);
                *length = (*length).min(stream.len() - *start);
            }
            let mut model = vec![false; stream.len()];
            let mut window = Window::new();
            let other = vec![0x55; 900];
            for (start, length) in cuts {
                window.insert(start as u64, &stream[start..start + length]);
                model[start..start + length].fill(true);
                if model[start / 2..start].iter().all(|there| *there) {
                    window.insert(start as u64 / 2, &other[..(start - start / 2).min(900)]); // what is there stays
                }
            }
            let want = model.iter().take_while(|there| **there).count().min(Window::CAPACITY);
            prop_assert_eq!(window.prefix(), &stream[..want]);
        }
    }
}
