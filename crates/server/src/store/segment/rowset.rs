//! A set of rows of a segment.

/// Bits, one a row.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct RowSet {
    words: Box<[u64]>,
    rows: usize,
}

impl RowSet {
    /// No row of that many.
    pub(crate) fn none(rows: usize) -> Self {
        Self { words: vec![0; rows.div_ceil(64)].into_boxed_slice(), rows }
    }

    /// All rows.
    pub(crate) fn all(rows: usize) -> Self {
        let mut set = Self::none(rows);
        set.insert_below(rows);
        set
    }

    /// Adds a row.
    pub(crate) fn insert(&mut self, row: usize) {
        if let Some(word) = self.words.get_mut(row / 64) {
            *word |= 1 << (row % 64);
        }
    }

    /// Adds the rows below that.
    pub(crate) fn insert_below(&mut self, end: usize) {
        for (at, word) in self.words.iter_mut().enumerate() {
            let bits = end.min(self.rows).saturating_sub(at * 64).min(64);
            *word |= if bits == 64 { u64::MAX } else { (1 << bits) - 1 };
        }
    }

    /// Adds the rows whose item fits.
    #[inline]
    pub(crate) fn insert_where<T>(&mut self, items: &[T], fits: impl Fn(&T) -> bool) {
        for (word, chunk) in self.words.iter_mut().zip(items.chunks(64)) {
            let mut bits = 0_u64;
            for (bit, item) in chunk.iter().enumerate() {
                bits |= u64::from(fits(item)) << bit;
            }
            *word |= bits;
        }
    }

    /// Keeps the rows whose item fits.
    #[inline]
    pub(crate) fn retain_where<T>(&mut self, items: &[T], fits: impl Fn(&T) -> bool) {
        for (word, chunk) in self.words.iter_mut().zip(items.chunks(64)) {
            if *word == 0 {
                continue;
            }
            let mut bits = 0_u64;
            for (bit, item) in chunk.iter().enumerate() {
                bits |= u64::from(fits(item)) << bit;
            }
            *word &= bits;
        }
    }

    /// Takes out the rows below that.
    pub(crate) fn remove_below(&mut self, end: usize) {
        let mut below = Self::none(self.rows);
        below.insert_below(end);
        self.words.iter_mut().zip(&below.words).for_each(|(mine, below)| *mine &= !below);
    }

    /// Takes out the rows from that on.
    pub(crate) fn remove_from(&mut self, begin: usize) {
        let mut below = Self::none(self.rows);
        below.insert_below(begin);
        self.intersect(&below);
    }

    /// Whether the row is in.
    #[inline]
    pub(crate) fn contains(&self, row: usize) -> bool {
        self.words.get(row / 64).is_some_and(|word| word >> (row % 64) & 1 == 1)
    }

    /// Keeps the rows that fit.
    pub(crate) fn retain(&mut self, fits: impl Fn(usize) -> bool) {
        for (at, word) in self.words.iter_mut().enumerate() {
            let mut rest = *word;
            while rest != 0 {
                let bit = rest.trailing_zeros() as usize;
                rest &= rest - 1;
                if !fits(at * 64 + bit) {
                    *word &= !(1 << bit);
                }
            }
        }
    }

    /// The rows, ascending.
    pub(crate) fn iter(&self) -> impl Iterator<Item = usize> {
        self.words.iter().enumerate().flat_map(|(at, word)| {
            let mut rest = *word;
            std::iter::from_fn(move || {
                let bit = (rest != 0).then(|| rest.trailing_zeros() as usize)?;
                rest &= rest - 1;
                Some(at * 64 + bit)
            })
        })
    }

    /// How many.
    pub(crate) fn len(&self) -> usize {
        self.words.iter().map(|word| word.count_ones() as usize).sum()
    }

    /// Whether there is none.
    pub(crate) fn is_empty(&self) -> bool {
        self.words.iter().all(|word| *word == 0)
    }

    /// Keeps those that are in both.
    pub(crate) fn intersect(&mut self, other: &Self) {
        self.words.iter_mut().zip(&other.words).for_each(|(mine, theirs)| *mine &= theirs);
    }

    /// Adds those of the other.
    pub(crate) fn unite(&mut self, other: &Self) {
        self.words.iter_mut().zip(&other.words).for_each(|(mine, theirs)| *mine |= theirs);
    }

    /// Turns in to out.
    pub(crate) fn invert(&mut self) {
        let all = Self::all(self.rows);
        self.words.iter_mut().zip(&all.words).for_each(|(mine, all)| *mine = !*mine & all);
    }

    /// Memory.
    pub(crate) fn bytes(&self) -> usize {
        size_of_val(&*self.words)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sets_behave() {
        let mut set = RowSet::none(130);
        set.insert_where(&(0..130).collect::<Vec<i32>>(), |n| n % 3 == 0);
        assert_eq!(set.iter().collect::<Vec<_>>(), (0..130).step_by(3).collect::<Vec<_>>());
        set.retain(|row| row % 2 == 0);
        assert_eq!((set.len(), set.contains(6), set.contains(9)), (22, true, false));
        set.invert();
        assert_eq!(set.len(), 108);
        set.intersect(&RowSet::none(130));
        assert!(set.is_empty());
        assert_eq!(RowSet::all(128).len(), 128);
    }
}
