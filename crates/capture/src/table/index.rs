//! Hash → slot, in lines of one cache line each.
//!
//! A bucket holds ten (16-bit tag, 32-bit slot) pairs in 64 bytes. A pair whose home bucket is full lives in the next bucket that has
//! room; `passed` counts how many pairs went past a bucket, so that a search stops where nobody went past. Removing a pair
//! undoes the counts on its way. The index has room for a quarter more pairs than the table has places, so that ways stay short.

use super::os;

const WAYS: usize = 10;
/// Slot value of an empty pair.
const EMPTY: u32 = u32::MAX;

#[derive(Clone, Copy, Debug)]
#[repr(C, align(64))]
struct Bucket {
    slots: [u32; WAYS],
    tags: [u16; WAYS],
    /// Pairs whose home is here or before, and that live behind.
    passed: u32,
}

impl Bucket {
    const NONE: Self = Self { slots: [EMPTY; WAYS], tags: [0; WAYS], passed: 0 };

    /// The pairs with that tag, one bit each: compared all at once.
    #[inline]
    fn fits(&self, tag: u16) -> u32 {
        let mut bits = 0;
        for (at, other) in self.tags.iter().enumerate() {
            bits |= u32::from(*other == tag) << at;
        }
        bits
    }
}

/// The index of a table.
#[derive(Debug)]
pub struct Index {
    buckets: Box<[Bucket]>,
    mask: usize,
}

impl Index {
    /// An index for `capacity` slots.
    pub fn new(capacity: usize) -> Self {
        let count = (capacity * 5 / 4 / WAYS + 1).next_power_of_two();
        let mut buckets = os::with_capacity_in_large_pages(count);
        buckets.resize(count, Bucket::NONE);
        Self { buckets: buckets.into_boxed_slice(), mask: count - 1 }
    }

    /// Asks for the home line of a hash.
    #[inline]
    pub fn prefetch(&self, hash: u64) {
        os::prefetch(&self.buckets[self.home(hash)]);
    }

    /// The first slot in the home bucket whose tag fits: nearly always the right one.
    #[inline]
    pub fn first(&self, hash: u64) -> Option<u32> {
        let bucket = &self.buckets[self.home(hash)];
        let fits = bucket.fits(tag(hash));
        // An empty pair has a tag too; then the search finds what there is.
        bucket.slots.get(fits.trailing_zeros() as usize).copied().filter(|slot| *slot != EMPTY)
    }

    /// The slot for which `same` says yes.
    #[inline]
    pub fn find(&self, hash: u64, same: impl Fn(u32) -> bool) -> Option<u32> {
        let tag = tag(hash);
        let mut at = self.home(hash);
        for _ in 0..self.buckets.len() {
            let bucket = &self.buckets[at];
            let mut fits = bucket.fits(tag);
            while let Some(slot) = bucket.slots.get(fits.trailing_zeros() as usize).copied() {
                if slot != EMPTY && same(slot) {
                    return Some(slot);
                }
                fits &= fits - 1;
            }
            if bucket.passed == 0 {
                return None;
            }
            at = (at + 1) & self.mask;
        }
        None
    }

    /// Adds a pair. The caller never adds more slots than the capacity, so there is always room.
    pub fn insert(&mut self, hash: u64, slot: u32) {
        let mut at = self.home(hash);
        for _ in 0..self.buckets.len() {
            let bucket = &mut self.buckets[at];
            if let Some(i) = bucket.slots.iter().position(|s| *s == EMPTY) {
                bucket.slots[i] = slot;
                bucket.tags[i] = tag(hash);
                return;
            }
            bucket.passed += 1;
            at = (at + 1) & self.mask;
        }
    }

    /// Takes a pair out.
    pub fn remove(&mut self, hash: u64, slot: u32) {
        let home = self.home(hash);
        let mut at = home;
        for _ in 0..self.buckets.len() {
            if let Some(i) = self.buckets[at].slots.iter().position(|s| *s == slot) {
                self.buckets[at].slots[i] = EMPTY;
                let mut back = home;
                while back != at {
                    self.buckets[back].passed -= 1;
                    back = (back + 1) & self.mask;
                }
                return;
            }
            if self.buckets[at].passed == 0 {
                return;
            }
            at = (at + 1) & self.mask;
        }
    }

    #[inline]
    #[expect(clippy::cast_possible_truncation, reason = "masked to the number of buckets")]
    const fn home(&self, hash: u64) -> usize {
        hash as usize & self.mask
    }
}

#[inline]
const fn tag(hash: u64) -> u16 {
    (hash >> 48) as u16
}
