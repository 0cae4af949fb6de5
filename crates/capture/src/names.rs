//! Names of addresses, learned from the DNS answers on the wire.
//!
//! One cache serves all workers, because the answer may reach another worker than the flow that it explains. It is asked when a record
//! is made, never for each packet: sixteen locks, each held for one look-up in a table, keep that cheap.
//!
//! An address may have many names at once, as content networks do. So a name is kept with the client that was told it, and a flow gets
//! the last name that *its* client was told before the flow began, or else the last that anybody was told. A name holds for flows
//! that begin within its time to live, clamped to [`MIN_TTL`]..[`MAX_TTL`], and [`GRACE`] after it, because programs keep addresses for
//! longer than they may. Whether it holds is judged by the flow's start, so that a long flow keeps its name; and as long as its client
//! begins flows it goes on to hold, so that a long conversation, which goes on in a new record now and then, keeps it too.
//!
//! Limits: the given number of addresses, the least used of them gives way; [`NAMES_PER_ADDRESS`] names each, the oldest gives way. Both
//! are counted.

#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use netwatch_model::{Timestamp, Untrusted};
use netwatch_wire::dns::Answer;

/// A name holds at least that long.
pub const MIN_TTL: Duration = Duration::from_secs(60);

/// A name holds at most that long, without grace (RFC 1035 section 3.2.1 allows 68 years).
pub const MAX_TTL: Duration = Duration::from_secs(24 * 60 * 60);

/// How long after its time, or after its client's last flow, a name is still believed: longer than a record may be active.
pub const GRACE: Duration = Duration::from_secs(60 * 60);

/// How much later than the flow's first packet an answer may have been seen: packets of different workers are not in order.
pub const SLACK: Duration = Duration::from_secs(2);

/// Names of one address.
pub const NAMES_PER_ADDRESS: usize = 8;

/// Addresses that a cache of ordinary size keeps: about 8 MB when all are in use.
pub const DEFAULT_CAPACITY: usize = 32_768;

const SHARDS: usize = 16;

/// What the cache did since it was made.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct NameCounters {
    /// Addresses that it has names for.
    pub addresses: u64,
    /// Answers that were taken in.
    pub learned: u64,
    /// Addresses that had to give way.
    pub addresses_evicted: u64,
    /// Names that had to give way to other names of their address.
    pub names_evicted: u64,
}

/// Names by address, shared by all workers.
#[derive(Debug)]
pub struct NameCache {
    shards: [Mutex<Shard>; SHARDS],
    capacity: usize,
    learned: AtomicU64,
    addresses_evicted: AtomicU64,
    names_evicted: AtomicU64,
}

impl NameCache {
    /// A cache of at least `capacity` addresses, rounded up to a multiple of sixteen. Memory is taken as it is needed.
    #[must_use]
    pub fn new(capacity: usize) -> Self {
        Self {
            shards: std::array::from_fn(|_| Mutex::default()),
            capacity: capacity.div_ceil(SHARDS).max(1),
            learned: AtomicU64::new(0),
            addresses_evicted: AtomicU64::new(0),
            names_evicted: AtomicU64::new(0),
        }
    }

    /// Takes in what `client` was told at `now`.
    pub fn learn(&self, now: Timestamp, client: IpAddr, answer: &Answer) {
        let address = answer.address.to_canonical();
        let ttl = Duration::from_secs(answer.ttl.into()).clamp(MIN_TTL, MAX_TTL);
        let told = Told {
            client: client.to_canonical(),
            name: answer.name.clone(),
            first: now,
            last: now,
            until: now + ttl + GRACE,
        };
        let mut shard = self.shard(address);
        let (slot, evicted) = shard.slot_for(address, self.capacity);
        let replaced = shard.slots.get_mut(slot).is_some_and(|slot| slot.tell(told));
        drop(shard);
        self.learned.fetch_add(1, Ordering::Relaxed);
        self.addresses_evicted.fetch_add(evicted.into(), Ordering::Relaxed);
        self.names_evicted.fetch_add(replaced.into(), Ordering::Relaxed);
    }

    /// The name of `address` for a flow that `client` began at `start`.
    #[must_use]
    pub fn lookup(&self, address: IpAddr, client: IpAddr, start: Timestamp) -> Option<Untrusted> {
        let address = address.to_canonical();
        let mut shard = self.shard(address);
        let slot = shard.index.get(&address).copied()?;
        shard.slots.get_mut(slot)?.name_for(client.to_canonical(), start)
    }

    /// What it did so far.
    #[must_use]
    pub fn counters(&self) -> NameCounters {
        let addresses = self.shards.iter().map(|shard| lock(shard).slots.len() as u64).sum();
        NameCounters {
            addresses,
            learned: self.learned.load(Ordering::Relaxed),
            addresses_evicted: self.addresses_evicted.load(Ordering::Relaxed),
            names_evicted: self.names_evicted.load(Ordering::Relaxed),
        }
    }

    fn shard(&self, address: IpAddr) -> MutexGuard<'_, Shard> {
        // Which lock is no secret: tables behind the locks have a keyed hash of their own.
        let low = match address {
            IpAddr::V4(v4) => v4.octets().iter().fold(0_u8, |sum, byte| sum.wrapping_mul(31).wrapping_add(*byte)),
            IpAddr::V6(v6) => v6.octets().iter().fold(0_u8, |sum, byte| sum.wrapping_mul(31).wrapping_add(*byte)),
        };
        lock(&self.shards[usize::from(low) % SHARDS])
    }
}

impl Default for NameCache {
    fn default() -> Self {
        Self::new(DEFAULT_CAPACITY)
    }
}

/// A thread that panicked leaves a table that is at worst a name short.
fn lock(shard: &Mutex<Shard>) -> MutexGuard<'_, Shard> {
    shard.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Addresses with one lock. Eviction is by the clock algorithm: a slot that was used since the hand last came by is spared once.
#[derive(Debug, Default)]
struct Shard {
    index: HashMap<IpAddr, usize>,
    slots: Vec<Slot>,
    hand: usize,
}

impl Shard {
    /// The slot of the address, made when there is none, and whether another address gave way for it.
    fn slot_for(&mut self, address: IpAddr, capacity: usize) -> (usize, bool) {
        if let Some(slot) = self.index.get(&address) {
            return (*slot, false);
        }
        let fresh = Slot { address, used: false, told: Vec::new() };
        if self.slots.len() < capacity {
            let slot = self.slots.len();
            self.slots.push(fresh);
            self.index.insert(address, slot);
            return (slot, false);
        }
        let slot = self.victim();
        if let Some(place) = self.slots.get_mut(slot) {
            let old = std::mem::replace(place, fresh);
            self.index.remove(&old.address);
        }
        self.index.insert(address, slot);
        (slot, true)
    }

    fn victim(&mut self) -> usize {
        loop {
            self.hand = (self.hand + 1) % self.slots.len().max(1);
            match self.slots.get_mut(self.hand) {
                Some(slot) if slot.used => slot.used = false,
                _ => return self.hand,
            }
        }
    }
}

#[derive(Debug)]
struct Slot {
    address: IpAddr,
    used: bool,
    told: Vec<Told>,
}

/// That a client was told a name.
#[derive(Debug)]
struct Told {
    client: IpAddr,
    name: Untrusted,
    first: Timestamp,
    last: Timestamp,
    until: Timestamp,
}

impl Slot {
    /// Whether another name gave way.
    fn tell(&mut self, told: Told) -> bool {
        let same = |known: &&mut Told| known.client == told.client && known.name == told.name;
        if let Some(known) = self.told.iter_mut().find(same) {
            known.last = known.last.max(told.last);
            known.until = known.until.max(told.until);
            self.used = true;
            return false;
        }
        if self.told.len() < NAMES_PER_ADDRESS {
            self.told.push(told);
            return false;
        }
        if let Some(oldest) = self.told.iter_mut().min_by_key(|known| known.last) {
            *oldest = told;
        }
        true
    }

    fn name_for(&mut self, client: IpAddr, start: Timestamp) -> Option<Untrusted> {
        let limit = start + SLACK;
        let holds = |told: &&Told| told.first <= limit && start <= told.until;
        let age = |told: &&Told| (told.client == client, if told.last <= limit { told.last } else { told.first });
        let best = self.told.iter_mut().filter(|told| holds(&&**told)).max_by_key(|told| age(&&**told))?;
        self.used = true;
        if best.client == client {
            best.until = best.until.max(start + GRACE);
        }
        Some(best.name.clone())
    }
}
