//! The flow table: a fixed number of places for conversations.
//!
//! A look-up touches one cache line of the index and one of the entry, and both can be asked for ahead of time
//! ([`Table::prefetch_bucket`], [`Table::prefetch_entry`]), so that a batch of packets waits for memory once and not once each.
//! The hash is keyed at start: nobody outside can choose colliding tuples. Memory is reserved at start and touched only when used.
//!
//! Limits: at most 2^24 − 2 places. When none is free the caller is told and decides what to evict ([`Table::lightest`]).

pub mod entry;
pub mod index;
pub mod os;

#[cfg(test)]
mod tests;

use crate::dissect::context::ContextId;
use crate::dissect::{Addresses, Packet};
use entry::{Cold, Hot};
use index::Index;
use netwatch_model::Protocol;

/// A place in the table.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, PartialOrd, Ord)]
pub struct Slot(pub u32);

impl Slot {
    #[inline]
    const fn at(self) -> usize {
        self.0 as usize
    }
}

/// Which of the two ends of a conversation: the lower (address, port) is end 0.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Key {
    /// Lower end's address first.
    pub addresses: Addresses,
    /// In the order of the addresses.
    pub ports: [u16; 2],
    /// Interface, VLANs, tunnel.
    pub context: ContextId,
    /// IP protocol.
    pub protocol: Protocol,
}

/// A key, its hash, and which end sent the packet.
#[derive(Clone, Copy, Debug)]
pub struct Keyed {
    /// The conversation.
    pub key: Key,
    /// Keyed hash of the conversation.
    pub hash: u64,
    /// The end that sent: 0 or 1.
    pub sender: usize,
}

/// The flow table of one worker.
#[derive(Debug)]
pub struct Table {
    seed: [u64; 4],
    index: Index,
    hot: Vec<Hot>,
    cold: Vec<Cold>,
    free: Vec<u32>,
    long: Vec<[u128; 2]>,
    long_free: Vec<u32>,
    capacity: usize,
    hand: usize,
    changes: u32,
}

impl Table {
    /// Most places that a table can have.
    pub const MAX_CAPACITY: usize = (1 << 24) - 2;

    /// A table of `capacity` places (at least 16), keyed by `seed`.
    #[must_use]
    pub fn new(capacity: usize, seed: [u64; 4]) -> Self {
        let capacity = capacity.clamp(16, Self::MAX_CAPACITY);
        Self {
            seed,
            index: Index::new(capacity),
            hot: os::with_capacity_in_large_pages(capacity),
            cold: os::with_capacity_in_large_pages(capacity),
            free: Vec::new(),
            long: Vec::new(),
            long_free: Vec::new(),
            capacity,
            hand: 0,
            changes: 0,
        }
    }

    /// Places.
    #[must_use]
    pub const fn capacity(&self) -> usize {
        self.capacity
    }

    /// Conversations in the table.
    #[must_use]
    pub fn len(&self) -> usize {
        self.hot.len() - self.free.len()
    }

    /// Whether there is no conversation.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Differs when a conversation has come or gone; as long as it is the same, so are the answers of [`Table::find`].
    #[inline]
    #[must_use]
    pub const fn changes(&self) -> u32 {
        self.changes
    }

    /// Slots that were ever used: the range to walk over.
    #[must_use]
    pub fn extent(&self) -> usize {
        self.hot.len()
    }

    /// Puts the packet's ends in order and hashes them.
    #[must_use]
    #[inline]
    pub fn key(&self, p: &Packet) -> Keyed {
        let ports = [p.source_port, p.destination_port];
        let (swap, addresses) = match p.addresses {
            Addresses::V4(s, d) => {
                let end = |address: u32, port: u16| u64::from(address) << 16 | u64::from(port);
                let swap = end(s, ports[0]) > end(d, ports[1]);
                (swap, if swap { Addresses::V4(d, s) } else { p.addresses })
            }
            Addresses::V6(s, d) => {
                let swap = (s, ports[0]) > (d, ports[1]);
                (swap, if swap { Addresses::V6(d, s) } else { p.addresses })
            }
        };
        let ports = if swap { [ports[1], ports[0]] } else { ports };
        let key = Key { addresses, ports, context: p.context, protocol: p.protocol };
        Keyed { key, hash: self.hash(&key), sender: usize::from(swap) }
    }

    /// Asks for the index line of a hash.
    #[inline]
    pub fn prefetch_bucket(&self, hash: u64) {
        self.index.prefetch(hash);
    }

    /// Asks for the entry to which the hash probably belongs; gives its slot.
    #[inline]
    #[must_use]
    pub fn prefetch_entry(&self, hash: u64) -> Option<Slot> {
        let slot = self.index.first(hash)?;
        if let Some(hot) = self.hot.get(slot as usize) {
            os::prefetch(hot);
        }
        Some(Slot(slot))
    }

    /// Finds a conversation.
    #[inline]
    #[must_use]
    pub fn find(&self, k: &Keyed, guess: Option<Slot>) -> Option<Slot> {
        if let Some(slot) = guess
            && self.hot.get(slot.at()).is_some_and(|hot| self.is_key(hot, &k.key))
        {
            return guess;
        }
        let same = |slot: u32| self.hot.get(slot as usize).is_some_and(|hot| self.is_key(hot, &k.key));
        self.index.find(k.hash, same).map(Slot)
    }

    /// Takes a place; `None` when the table is full. The caller fills the counters of the fresh entry.
    pub fn insert(&mut self, k: &Keyed, start: i64) -> Option<Slot> {
        let slot = match self.free.pop() {
            Some(slot) => slot,
            None if self.hot.len() < self.capacity => {
                self.hot.push(Hot::default());
                self.cold.push(Cold::default());
                u32::try_from(self.hot.len() - 1).ok()?
            }
            None => return None,
        };
        let (addresses, long) = match k.key.addresses {
            Addresses::V4(a, b) => ([a, b], false),
            Addresses::V6(a, b) => ([self.store_long([a, b]), 0], true),
        };
        let at = slot as usize;
        let generation = self.cold[at].generation.wrapping_add(1);
        self.hot[at] = Hot::new(addresses, long, k, start);
        self.cold[at] = Cold { start, generation, ..Cold::default() };
        self.index.insert(k.hash, slot);
        self.changes = self.changes.wrapping_add(1);
        Some(Slot(slot))
    }

    /// Gives the place back.
    pub fn remove(&mut self, slot: Slot) {
        let Some(key) = self.hot.get(slot.at()).filter(|h| h.used()).map(|h| self.key_of(h)) else { return };
        self.index.remove(self.hash(&key), slot.0);
        self.changes = self.changes.wrapping_add(1);
        let hot = &mut self.hot[slot.at()];
        if hot.is_long() {
            self.long_free.push(hot.addresses[0]);
        }
        *hot = Hot::default();
        self.free.push(slot.0);
    }

    /// The part of an entry that each packet touches.
    #[inline]
    #[must_use]
    pub fn hot(&self, slot: Slot) -> &Hot {
        &self.hot[slot.at()]
    }

    /// The same, to change.
    #[inline]
    pub fn hot_mut(&mut self, slot: Slot) -> &mut Hot {
        &mut self.hot[slot.at()]
    }

    /// The part of an entry that only its beginning and its reports touch.
    #[inline]
    #[must_use]
    pub fn cold(&self, slot: Slot) -> &Cold {
        &self.cold[slot.at()]
    }

    /// The same, to change.
    #[inline]
    pub fn cold_mut(&mut self, slot: Slot) -> &mut Cold {
        &mut self.cold[slot.at()]
    }

    /// The conversation of an entry.
    #[must_use]
    pub fn key_of(&self, hot: &Hot) -> Key {
        let addresses = if hot.is_long() {
            let [a, b] = self.long.get(hot.addresses[0] as usize).copied().unwrap_or_default();
            Addresses::V6(a, b)
        } else {
            Addresses::V4(hot.addresses[0], hot.addresses[1])
        };
        Key { addresses, ports: hot.ports, context: ContextId(hot.context), protocol: Protocol(hot.protocol) }
    }

    /// The lightest of the next `look` used entries of a hand that goes round the table; flows newer than `now` − 1 s are not spared,
    /// heavy ones are: the victim has the fewest octets among those seen.
    pub fn lightest(&mut self, look: usize) -> Option<Slot> {
        let extent = self.hot.len();
        let mut best: Option<(u64, usize)> = None;
        let mut seen = 0;
        for _ in 0..extent.min(look * 8) {
            self.hand = if self.hand + 1 >= extent { 0 } else { self.hand + 1 };
            let hot = &self.hot[self.hand];
            if !hot.used() {
                continue;
            }
            let weight = hot.octets_of(0) + hot.octets_of(1);
            if best.is_none_or(|(w, _)| weight < w) {
                best = Some((weight, self.hand));
            }
            seen += 1;
            if seen >= look {
                break;
            }
        }
        best.and_then(|(_, at)| u32::try_from(at).ok()).map(Slot)
    }

    #[inline]
    fn is_key(&self, hot: &Hot, k: &Key) -> bool {
        if hot.ports != k.ports || hot.context != k.context.0 || hot.protocol != k.protocol.0 || !hot.used() {
            return false;
        }
        match k.addresses {
            Addresses::V4(a, b) => !hot.is_long() && hot.addresses == [a, b],
            Addresses::V6(a, b) => hot.is_long() && self.long.get(hot.addresses[0] as usize) == Some(&[a, b]),
        }
    }

    fn store_long(&mut self, pair: [u128; 2]) -> u32 {
        if let Some(at) = self.long_free.pop() {
            self.long[at as usize] = pair;
            return at;
        }
        self.long.push(pair);
        // Never more than one for each slot, so below 2^24.
        u32::try_from(self.long.len() - 1).unwrap_or(0)
    }

    /// Folded multiplication with secret keys, as in wyhash: not to be predicted without the seed.
    #[inline]
    fn hash(&self, k: &Key) -> u64 {
        let rest = (u64::from(k.ports[0]) << 48)
            | (u64::from(k.ports[1]) << 32)
            | (u64::from(k.context.0) << 16)
            | u64::from(k.protocol.0);
        let head = match k.addresses {
            Addresses::V4(a, b) => (u64::from(a) << 32) | u64::from(b),
            Addresses::V6(a, b) => {
                mix128(a, self.seed[2], self.seed[3]) ^ mix128(b, self.seed[3], self.seed[0]).rotate_left(23)
            }
        };
        let h = mix(head ^ self.seed[0], rest ^ self.seed[1]);
        mix(h ^ self.seed[2], rest ^ self.seed[3])
    }
}

#[inline]
#[expect(clippy::cast_possible_truncation, reason = "the two halves of a 128-bit product are wanted")]
const fn mix(a: u64, b: u64) -> u64 {
    let p = (a as u128).wrapping_mul(b as u128);
    (p as u64) ^ ((p >> 64) as u64)
}

#[inline]
#[expect(clippy::cast_possible_truncation, reason = "the two halves are wanted")]
const fn mix128(x: u128, s: u64, t: u64) -> u64 {
    mix((x as u64) ^ s, ((x >> 64) as u64) ^ t)
}
