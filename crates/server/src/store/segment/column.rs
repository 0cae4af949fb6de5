//! Columns of whole numbers in few bits, with every row at hand.

use foldhash::fast::RandomState;
use hashbrown::HashMap;

/// Bits that a value costs when it is kept apart: its row and itself.
const ODD_BITS: usize = 80;

/// Numbers as differences from the smallest, all with the same number of bits; the few that need more are kept apart.
#[derive(Debug)]
pub(crate) struct Packed {
    base: u64,
    width: u32,
    words: Box<[u64]>,
    odd_rows: Box<[u16]>,
    odd_values: Box<[u64]>,
}

impl Packed {
    /// Packs at most 65,536 numbers.
    pub(crate) fn new(values: &[u64]) -> Self {
        let base = values.iter().copied().min().unwrap_or(0);
        let width = best_width(values, base);
        let marker = mask(width);
        let mut words = vec![0_u64; (values.len() * width as usize).div_ceil(64) + 1];
        let (mut odd_rows, mut odd_values) = (Vec::new(), Vec::new());
        for (row, value) in values.iter().enumerate() {
            let mut n = value - base;
            if n > marker || (n == marker && width == 0 && n != 0) {
                odd_rows.push(u16::try_from(row).unwrap_or(u16::MAX));
                odd_values.push(n);
                n = marker;
            }
            if width > 0 {
                write(&mut words, row * width as usize, n);
            }
        }
        let (odd_rows, odd_values) = (odd_rows.into_boxed_slice(), odd_values.into_boxed_slice());
        Self { base, width, words: words.into_boxed_slice(), odd_rows, odd_values }
    }

    /// The number of a row.
    #[inline]
    pub(crate) fn get(&self, row: usize) -> u64 {
        let marker = mask(self.width);
        let n = if self.width == 0 { 0 } else { read(&self.words, row * self.width as usize, marker) };
        if n == marker && !self.odd_rows.is_empty() { self.base + self.odd(row).unwrap_or(n) } else { self.base + n }
    }

    /// The number that is kept apart for a row.
    fn odd(&self, row: usize) -> Option<u64> {
        let row = u16::try_from(row).ok()?;
        self.odd_rows.binary_search(&row).ok().and_then(|at| self.odd_values.get(at)).copied()
    }

    /// Memory.
    pub(crate) fn bytes(&self) -> usize {
        size_of_val(&*self.words) + size_of_val(&*self.odd_rows) + size_of_val(&*self.odd_values)
    }
}

/// The number of bits that makes the column smallest.
fn best_width(values: &[u64], base: u64) -> u32 {
    let mut lengths = [0_usize; 65];
    for value in values {
        lengths[64 - (value - base).leading_zeros() as usize] += 1;
    }
    let (mut best, mut longer) = ((usize::MAX, 64), 0);
    for width in (0..=64_u32).rev() {
        let cost = values.len() * width as usize + longer * ODD_BITS;
        best = best.min((cost, width));
        longer += lengths[width as usize];
    }
    best.1
}

const fn mask(width: u32) -> u64 {
    if width == 0 { 0 } else { u64::MAX >> (64 - width) }
}

fn write(words: &mut [u64], bit: usize, n: u64) {
    let (word, shift) = (bit / 64, bit % 64);
    words[word] |= n << shift;
    if shift > 0 {
        words[word + 1] |= n >> (64 - shift);
    }
}

#[inline]
fn read(words: &[u64], bit: usize, mask: u64) -> u64 {
    let (word, shift) = (bit / 64, bit % 64);
    let low = words.get(word).copied().unwrap_or(0) >> shift;
    // Shifted in two steps, so that a shift by 64 gives zero.
    let high = words.get(word + 1).copied().unwrap_or(0) << (63 - shift) << 1;
    (low | high) & mask
}

/// Numbers of which few are different: each row has the place of its value.
#[derive(Debug)]
pub(crate) struct Coded<T> {
    values: Box<[T]>,
    places: Places,
}

/// Places below 65,536, in as few bytes as they need.
#[derive(Debug)]
pub(crate) enum Places {
    /// All rows have the first.
    First(usize),
    /// Below 256.
    Short(Box<[u8]>),
    /// All others.
    Long(Box<[u16]>),
}

impl Places {
    /// The same places for `count` values.
    pub(crate) fn new(places: Vec<u16>, count: usize) -> Self {
        match count {
            0 | 1 => Self::First(places.len()),
            2..=256 => Self::Short(places.iter().map(|p| u8::try_from(*p).unwrap_or(u8::MAX)).collect()),
            _ => Self::Long(places.into_boxed_slice()),
        }
    }

    /// The place of a row.
    #[inline]
    pub(crate) fn get(&self, row: usize) -> usize {
        match self {
            Self::First(_) => 0,
            Self::Short(places) => places.get(row).copied().unwrap_or(0).into(),
            Self::Long(places) => places.get(row).copied().unwrap_or(0).into(),
        }
    }

    /// Marks the rows whose place is in `wanted` (one flag a place).
    pub(crate) fn mark(&self, wanted: &[bool], rows: &mut super::RowSet) {
        let is = |place: usize| wanted.get(place).copied().unwrap_or(false);
        let one = single(wanted);
        match (self, one) {
            (Self::First(count), _) if is(0) => rows.insert_below(*count),
            (Self::First(_), _) => {}
            (Self::Short(places), Some(one)) => rows.insert_where(places, |p| usize::from(*p) == one),
            (Self::Short(places), None) => rows.insert_where(places, |p| is(usize::from(*p))),
            (Self::Long(places), Some(one)) => rows.insert_where(places, |p| usize::from(*p) == one),
            (Self::Long(places), None) => rows.insert_where(places, |p| is(usize::from(*p))),
        }
    }

    /// Memory.
    pub(crate) fn bytes(&self) -> usize {
        match self {
            Self::First(_) => 0,
            Self::Short(places) => size_of_val(&**places),
            Self::Long(places) => size_of_val(&**places),
        }
    }
}

/// The only place that is wanted, when there is one only.
fn single(wanted: &[bool]) -> Option<usize> {
    let first = wanted.iter().position(|w| *w)?;
    wanted.iter().skip(first + 1).all(|w| !w).then_some(first)
}

impl<T: Copy + Eq + std::hash::Hash + Default> Coded<T> {
    /// Codes at most 65,536 values.
    pub(crate) fn new(rows: impl Iterator<Item = T>) -> Self {
        let mut numbers: HashMap<T, u16, RandomState> = HashMap::default();
        let mut values = Vec::new();
        let mut last: Option<(T, u16)> = None;
        let places = rows.map(|value| match last {
            Some((same, place)) if same == value => place,
            _ => {
                let place = *numbers.entry(value).or_insert_with(|| {
                    values.push(value);
                    u16::try_from(values.len() - 1).unwrap_or(u16::MAX)
                });
                last = Some((value, place));
                place
            }
        });
        let places: Vec<u16> = places.collect();
        let places = Places::new(places, values.len());
        Self { values: values.into_boxed_slice(), places }
    }

    /// The value of a row.
    #[inline]
    pub(crate) fn get(&self, row: usize) -> T {
        self.values.get(self.places.get(row)).copied().unwrap_or_default()
    }

    /// All values, once each.
    pub(crate) fn values(&self) -> &[T] {
        &self.values
    }

    /// Where each row's value is.
    pub(crate) const fn places(&self) -> &Places {
        &self.places
    }

    /// Memory.
    pub(crate) fn bytes(&self) -> usize {
        size_of_val(&*self.values) + self.places.bytes()
    }
}

/// Numbers that only some rows have; `N` of them together.
#[derive(Debug)]
pub(crate) struct Sparse<const N: usize> {
    present: Box<[u64]>,
    /// Rows present before each word.
    ranks: Box<[u16]>,
    columns: [Packed; N],
}

impl<const N: usize> Sparse<N> {
    /// The numbers of those of `rows` rows that have them, in the order of the rows.
    pub(crate) fn new(rows: usize, there: impl Iterator<Item = (usize, [u64; N])>) -> Self {
        let mut present = vec![0_u64; rows.div_ceil(64)];
        let mut columns: [Vec<u64>; N] = std::array::from_fn(|_| Vec::new());
        for (row, numbers) in there {
            present[row / 64] |= 1 << (row % 64);
            columns.iter_mut().zip(numbers).for_each(|(column, n)| column.push(n));
        }
        if columns.iter().all(Vec::is_empty) {
            present.clear();
        }
        let mut before = 0_usize;
        let ranks = present.iter().map(|word| {
            let rank = u16::try_from(before).unwrap_or(u16::MAX);
            before += word.count_ones() as usize;
            rank
        });
        let ranks = ranks.collect();
        let columns = columns.map(|column| Packed::new(&column));
        Self { present: present.into_boxed_slice(), ranks, columns }
    }

    /// The numbers of a row.
    pub(crate) fn get(&self, row: usize) -> Option<[u64; N]> {
        let word = *self.present.get(row / 64)?;
        let bit = 1_u64 << (row % 64);
        if word & bit == 0 {
            return None;
        }
        let at = usize::from(*self.ranks.get(row / 64)?) + (word & (bit - 1)).count_ones() as usize;
        Some(std::array::from_fn(|n| self.columns[n].get(at)))
    }

    /// Memory.
    pub(crate) fn bytes(&self) -> usize {
        let columns: usize = self.columns.iter().map(Packed::bytes).sum();
        size_of_val(&*self.present) + size_of_val(&*self.ranks) + columns
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn number() -> impl Strategy<Value = u64> {
        prop_oneof![8 => 0u64..300, 2 => any::<u32>().prop_map(u64::from), 1 => any::<u64>(), 1 => Just(u64::MAX)]
    }

    proptest! {
        #[test]
        fn packed_numbers_come_back(values in prop::collection::vec(number(), 0..300)) {
            let packed = Packed::new(&values);
            for (row, value) in values.iter().enumerate() {
                prop_assert_eq!(packed.get(row), *value);
            }
        }

        #[test]
        fn coded_values_come_back(values in prop::collection::vec(0u64..400, 0..600)) {
            let coded = Coded::new(values.iter().copied());
            for (row, value) in values.iter().enumerate() {
                prop_assert_eq!(coded.get(row), *value);
            }
        }

        #[test]
        fn sparse_numbers_come_back(rows in prop::collection::vec(prop::option::of([number(), number()]), 0..300)) {
            let there = rows.iter().enumerate().filter_map(|(row, numbers)| Some((row, (*numbers)?)));
            let sparse = Sparse::new(rows.len(), there);
            for (row, value) in rows.iter().enumerate() {
                prop_assert_eq!(sparse.get(row), *value);
            }
        }
    }

    #[test]
    fn a_few_large_numbers_do_not_widen_the_column() {
        let mut values = vec![3_u64; 10_000];
        values[77] = 1 << 60;
        assert!(Packed::new(&values).bytes() < 100);
    }
}
