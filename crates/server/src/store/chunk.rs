//! Rows in chunks that readers hold while writers go on.
//!
//! A chunk is shared until it is written to: then the writer copies it once, and readers keep the old one.

use std::sync::Arc;

use super::row::{Head, Volume};

/// Rows in a chunk: what is copied when a row changes that a reader holds.
pub(crate) const ROWS: usize = 1024;

/// Some rows; places may be empty.
#[derive(Clone, Debug, Default)]
pub(crate) struct Chunk {
    heads: Arc<Vec<Head>>,
    volumes: Arc<Vec<Volume>>,
    used: Arc<Vec<u64>>,
}

impl Chunk {
    /// The row of that place, when there is one.
    #[inline]
    pub(crate) fn get(&self, at: usize) -> Option<(&Head, &Volume)> {
        if !self.is_used(at) {
            return None;
        }
        Some((self.heads.get(at)?, self.volumes.get(at)?))
    }

    /// All rows with their places.
    pub(crate) fn rows(&self) -> impl Iterator<Item = (usize, &Head, &Volume)> {
        self.places().filter_map(|at| Some((at, self.heads.get(at)?, self.volumes.get(at)?)))
    }

    /// Places, used or not.
    pub(crate) fn len(&self) -> usize {
        self.heads.len()
    }

    /// The places that are used.
    fn places(&self) -> impl Iterator<Item = usize> {
        self.used.iter().enumerate().flat_map(|(at, word)| {
            let mut rest = *word;
            std::iter::from_fn(move || {
                let bit = (rest != 0).then(|| rest.trailing_zeros() as usize)?;
                rest &= rest - 1;
                Some(at * 64 + bit)
            })
        })
    }

    /// Puts a row at a place, at most one past the last.
    pub(super) fn put(&mut self, at: usize, head: Head, volume: Volume) {
        let (heads, volumes) = (Arc::make_mut(&mut self.heads), Arc::make_mut(&mut self.volumes));
        match (heads.get_mut(at), volumes.get_mut(at)) {
            (Some(h), Some(v)) => (*h, *v) = (head, volume),
            _ => {
                heads.push(head);
                volumes.push(volume);
            }
        }
        self.mark(at, true);
    }

    /// Gives a row another head.
    pub(super) fn set_head(&mut self, at: usize, head: Head) {
        if let Some(place) = Arc::make_mut(&mut self.heads).get_mut(at) {
            *place = head;
        }
    }

    /// The volume of a row, to change it.
    pub(super) fn volume_mut(&mut self, at: usize) -> Option<&mut Volume> {
        Arc::make_mut(&mut self.volumes).get_mut(at)
    }

    /// Empties a place.
    pub(super) fn clear(&mut self, at: usize) {
        self.mark(at, false);
    }

    /// Bytes that this chunk does not share with `other`.
    pub(crate) fn bytes_beside(&self, other: Option<&Self>) -> usize {
        let heads = !other.is_some_and(|o| Arc::ptr_eq(&self.heads, &o.heads));
        let volumes = !other.is_some_and(|o| Arc::ptr_eq(&self.volumes, &o.volumes));
        self.len() * (usize::from(heads) * size_of::<Head>() + usize::from(volumes) * size_of::<Volume>())
    }

    #[inline]
    fn is_used(&self, at: usize) -> bool {
        self.used.get(at / 64).is_some_and(|word| word >> (at % 64) & 1 == 1)
    }

    fn mark(&mut self, at: usize, used: bool) {
        let words = Arc::make_mut(&mut self.used);
        if words.len() <= at / 64 {
            words.resize(at / 64 + 1, 0);
        }
        let bit = 1 << (at % 64);
        words[at / 64] = if used { words[at / 64] | bit } else { words[at / 64] & !bit };
    }
}
