//! Active flows: the newest cumulative record of each, found by id.
//!
//! Limits: [`LiveTable::new`]'s number of rows. When all are used, a new flow takes the place of the lightest of a few it meets, if
//! that one is lighter; what was counted of the light one is remembered, so that it is not counted again. A flow without a place is
//! counted at its end, when its last record tells everything it carried.

use std::hash::BuildHasher;

use foldhash::fast::RandomState;
use hashbrown::{HashMap, HashTable};
use netwatch_model::{Counters, FlowId, Timestamp};

use super::chunk::{Chunk, ROWS};
use super::row::{Head, Volume};

/// Rows that a new flow meets when all places are taken.
const MEET: usize = 16;

/// What of a flow was already counted.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Counted {
    pub(super) forward: Counters,
    pub(super) reverse: Counters,
    pub(super) interface_octets: [u64; 2],
    /// Time of the last packet that was counted.
    pub(super) end: Option<Timestamp>,
}

impl Counted {
    /// All that a row carried.
    pub(super) fn all_of(volume: &Volume) -> Self {
        let (forward, reverse) = (volume.forward(), volume.reverse());
        Self { forward, reverse, interface_octets: volume.interface_octets(), end: Some(volume.end) }
    }
}

/// The table.
#[derive(Debug)]
pub(super) struct LiveTable {
    chunks: Vec<Chunk>,
    index: HashTable<u32>,
    hasher: RandomState,
    free: Vec<u32>,
    capacity: usize,
    /// Where the next meeting begins.
    hand: usize,
    /// The chunk that was swept last.
    swept: usize,
    /// Flows without a row of which something was counted.
    beside: HashMap<FlowId, Counted, RandomState>,
    /// Records of active flows that found no place.
    kept_out: u64,
}

impl LiveTable {
    pub(super) fn new(capacity: usize) -> Self {
        Self {
            chunks: Vec::new(),
            index: HashTable::new(),
            hasher: RandomState::default(),
            free: Vec::new(),
            capacity: capacity.clamp(1, u32::MAX as usize),
            hand: 0,
            swept: 0,
            beside: HashMap::default(),
            kept_out: 0,
        }
    }

    /// Rows in use.
    pub(super) fn len(&self) -> usize {
        self.index.len()
    }

    /// Records of active flows that found no place.
    pub(super) const fn kept_out(&self) -> u64 {
        self.kept_out
    }

    /// All chunks, for readers.
    pub(super) fn chunks(&self) -> &[Chunk] {
        &self.chunks
    }

    /// The place of a flow.
    #[inline]
    pub(super) fn find(&self, id: FlowId) -> Option<u32> {
        let chunks = &self.chunks;
        self.index.find(self.hasher.hash_one(id), |slot| row(chunks, *slot).is_some_and(|(h, _)| h.id == id)).copied()
    }

    /// The row at a place.
    #[inline]
    pub(super) fn row(&self, slot: u32) -> Option<(&Head, &Volume)> {
        row(&self.chunks, slot)
    }

    /// Gives a row another head of the same id.
    pub(super) fn set_head(&mut self, slot: u32, head: Head) {
        let (chunk, at) = place(slot);
        if let Some(chunk) = self.chunks.get_mut(chunk) {
            chunk.set_head(at, head);
        }
    }

    /// The volume at a place, to change it.
    #[inline]
    pub(super) fn volume_mut(&mut self, slot: u32) -> Option<&mut Volume> {
        let (chunk, at) = place(slot);
        self.chunks.get_mut(chunk)?.volume_mut(at)
    }

    /// What was counted of a flow that has no row.
    pub(super) fn counted_beside(&self, id: FlowId) -> Option<Counted> {
        if self.beside.is_empty() { None } else { self.beside.get(&id).copied() }
    }

    /// Notes what was counted of a flow that has no row, if something was counted before; false when it was not.
    pub(super) fn count_beside(&mut self, id: FlowId, counted: Counted) -> bool {
        let known = self.beside.get_mut(&id);
        known.map(|known| *known = counted).is_some()
    }

    /// Forgets what was counted of a flow that has no row.
    pub(super) fn forget_beside(&mut self, id: FlowId) {
        self.beside.remove(&id);
    }

    /// Whether there is, or was made, a place for a flow that has carried that many octets.
    pub(super) fn make_room(&mut self, octets: u64) -> bool {
        if self.len() < self.capacity || self.displace(octets) {
            return true;
        }
        self.kept_out += 1;
        false
    }

    /// Adds a row; [`LiveTable::make_room`] said yes.
    pub(super) fn insert(&mut self, head: Head, volume: Volume) {
        let slot = self.free.pop().unwrap_or_else(|| u32::try_from(self.len()).unwrap_or(u32::MAX));
        let (chunk, at) = place(slot);
        if chunk == self.chunks.len() {
            self.chunks.push(Chunk::default());
        }
        let hash = self.hasher.hash_one(head.id);
        let Some(target) = self.chunks.get_mut(chunk) else { return };
        target.put(at, head, volume);
        let (chunks, hasher) = (&self.chunks, &self.hasher);
        self.index.insert_unique(hash, slot, |s| row(chunks, *s).map_or(0, |(h, _)| hasher.hash_one(h.id)));
    }

    /// Takes a row out.
    pub(super) fn remove(&mut self, slot: u32) -> Option<(Head, Volume)> {
        let (head, volume) = self.row(slot).map(|(h, v)| (h.clone(), v.clone()))?;
        if let Ok(entry) = self.index.find_entry(self.hasher.hash_one(head.id), |s| *s == slot) {
            entry.remove();
        }
        let (chunk, at) = place(slot);
        self.chunks.get_mut(chunk)?.clear(at);
        self.free.push(slot);
        Some((head, volume))
    }

    /// Takes out the rows of one chunk, by turns, whose last packet is older than that.
    pub(super) fn sweep(&mut self, before: Timestamp) -> Vec<(Head, Volume)> {
        self.swept = if self.swept + 1 < self.chunks.len() { self.swept + 1 } else { 0 };
        if self.swept == 0 {
            self.beside.retain(|_, counted| counted.end.is_none_or(|end| end >= before));
        }
        let Some(chunk) = self.chunks.get(self.swept) else { return Vec::new() };
        let old = chunk.rows().filter(|(_, _, v)| v.end < before);
        let old: Vec<u32> = old.filter_map(|(at, ..)| u32::try_from(self.swept * ROWS + at).ok()).collect();
        old.into_iter().filter_map(|slot| self.remove(slot)).collect()
    }

    /// Takes all rows out.
    pub(super) fn drain(&mut self) -> Vec<(Head, Volume)> {
        let rows = self.chunks.iter().flat_map(|c| c.rows().map(|(_, h, v)| (h.clone(), v.clone()))).collect();
        (self.chunks, self.free) = (Vec::new(), Vec::new());
        self.index.clear();
        self.beside.clear();
        rows
    }

    /// Puts the lightest row met aside, if it is lighter than that.
    fn displace(&mut self, octets: u64) -> bool {
        if self.beside.len() >= self.capacity {
            return false;
        }
        let met = (0..MEET).filter_map(|step| {
            let slot = u32::try_from((self.hand + step * 7919) % self.capacity).ok()?;
            Some((self.row(slot)?.1.octets(), slot))
        });
        let lightest = met.min();
        self.hand = (self.hand + MEET * 7919 + 1) % self.capacity;
        let Some((_, slot)) = lightest.filter(|(carried, _)| *carried < octets) else { return false };
        let Some((head, volume)) = self.remove(slot) else { return false };
        self.beside.insert(head.id, Counted::all_of(&volume));
        true
    }
}

const fn place(slot: u32) -> (usize, usize) {
    (slot as usize / ROWS, slot as usize % ROWS)
}

#[inline]
fn row(chunks: &[Chunk], slot: u32) -> Option<(&Head, &Volume)> {
    let (chunk, at) = place(slot);
    chunks.get(chunk)?.get(at)
}
