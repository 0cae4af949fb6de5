//! Owners by flow, shared by all workers.
//!
//! A flow belongs to the process whose socket has the same two ends; the initiator's when both ends are here. Where there is no such
//! socket (UDP that is not connected, TCP that is not accepted yet), it belongs to the process that has the local end: the address must
//! be one of this machine, so that a server here never gets what goes to another machine's port of the same number.
//!
//! Owners are remembered for a while after their socket is gone, because the last record of a flow is made after its end:
//! [`REMEMBER`] for connected sockets, whose two ends leave no doubt, and [`REMEMBER_LOCAL`] for the others.
//!
//! Limits: [`MAX_SOCKETS`] sockets, present and remembered, of either kind; what finds no place is counted. Workers hold the lock for one
//! look-up; the snapshot's thread holds it alone only to put in what is new.

use std::collections::{HashMap, HashSet};
use std::net::{IpAddr, SocketAddr};
use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::thread::Thread;
use std::time::Duration;

use netwatch_model::{Process, Protocol};

use super::{MAX_SOCKETS, Snapshot, SocketOwner, Wanted};

/// How long the owner of a connected socket is remembered.
pub const REMEMBER: Duration = Duration::from_secs(300);

/// How long the owner of a local end is remembered.
pub const REMEMBER_LOCAL: Duration = Duration::from_secs(60);

/// Sockets on one port that are looked at: one for each address, or for each process that shares the port.
const MAX_ON_PORT: usize = 32;

/// What the table knows and did.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct ProcessCounters {
    /// Sockets with an owner, present and remembered.
    pub sockets: u64,
    /// Sockets of the last snapshot without an owner.
    pub unowned: u64,
    /// Sockets that found no place, since the start.
    pub omitted: u64,
    /// Snapshots taken in.
    pub snapshots: u64,
}

/// Owners by flow.
#[derive(Debug, Default)]
pub struct ProcessTable {
    index: RwLock<Index>,
    /// A [`Wanted`].
    wanted: AtomicU8,
    /// Takes snapshots: woken when one is wanted.
    keeper: OnceLock<Thread>,
    unowned: AtomicU64,
    omitted: AtomicU64,
    snapshots: AtomicU64,
}

type Connected = (Protocol, SocketAddr, SocketAddr);

#[derive(Debug, Default)]
struct Index {
    connected: HashMap<Connected, Owner>,
    /// By protocol and port: address (unspecified takes all) and owner.
    bound: HashMap<(Protocol, u16), Vec<(IpAddr, Owner)>>,
    /// Entries of `bound`.
    bound_count: usize,
    addresses: HashSet<IpAddr>,
}

#[derive(Debug)]
struct Owner {
    process: Arc<Process>,
    /// Seconds on the monotonic clock when it was seen last.
    seen: AtomicU64,
}

impl Owner {
    fn new(process: Arc<Process>, now: u64) -> Self {
        Self { process, seen: AtomicU64::new(now) }
    }

    /// Notes that it is there. False when the socket belongs to another process now.
    fn still(&self, process: &Process, now: u64) -> bool {
        let same = *self.process == *process;
        if same {
            self.seen.store(now, Ordering::Relaxed);
        }
        same
    }

    fn is_fresh(&self, now: u64, remember: Duration) -> bool {
        now.saturating_sub(self.seen.load(Ordering::Relaxed)) <= remember.as_secs()
    }
}

impl ProcessTable {
    /// A table that knows nothing yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The owner of a flow from the initiator `source` to `destination`; `None` when it is not known, or not on this machine.
    #[must_use]
    pub fn owner(&self, protocol: Protocol, source: SocketAddr, destination: SocketAddr) -> Option<Arc<Process>> {
        if !matches!(protocol, Protocol::TCP | Protocol::UDP) {
            return None;
        }
        let (source, destination) = (canonical(source), canonical(destination));
        let index = self.read();
        let owner = index.find(protocol, source, destination);
        if owner.is_none() && index.is_local(source, destination) {
            self.want(Wanted::Soon);
        }
        owner
    }

    /// Whether a flow of this machine has no known owner.
    #[must_use]
    pub fn is_missing(&self, protocol: Protocol, source: SocketAddr, destination: SocketAddr) -> bool {
        let (source, destination) = (canonical(source), canonical(destination));
        let index = self.read();
        matches!(protocol, Protocol::TCP | Protocol::UDP)
            && index.is_local(source, destination)
            && index.find(protocol, source, destination).is_none()
    }

    /// Asks for a snapshot.
    pub fn want(&self, wanted: Wanted) {
        if self.wanted.fetch_max(wanted as u8, Ordering::Relaxed) < wanted as u8 {
            self.wake();
        }
    }

    /// How urgently a snapshot is wanted.
    #[must_use]
    pub fn wanted(&self) -> Wanted {
        match self.wanted.load(Ordering::Relaxed) {
            0 => Wanted::No,
            1 => Wanted::Soon,
            _ => Wanted::Now,
        }
    }

    /// The calling thread takes the snapshots from now on: it is unparked when one is wanted.
    pub fn keep(&self) {
        // There is one keeper in the life of a table.
        let _ = self.keeper.set(std::thread::current());
    }

    /// Unparks the thread that takes the snapshots.
    pub fn wake(&self) {
        self.keeper.get().inspect(|keeper| keeper.unpark());
    }

    /// What it knows and did.
    #[must_use]
    pub fn counters(&self) -> ProcessCounters {
        let index = self.read();
        ProcessCounters {
            sockets: (index.connected.len() + index.bound_count) as u64,
            unowned: self.unowned.load(Ordering::Relaxed),
            omitted: self.omitted.load(Ordering::Relaxed),
            snapshots: self.snapshots.load(Ordering::Relaxed),
        }
    }

    /// A snapshot is being taken: what is wanted from now on is wanted anew.
    pub(super) fn take_wanted(&self) {
        self.wanted.store(Wanted::No as u8, Ordering::Relaxed);
    }

    /// Puts in a snapshot that was taken at `now`, on the monotonic clock.
    pub(super) fn update(&self, now: Duration, snapshot: &Snapshot) {
        let now = now.as_secs();
        let processes: Vec<Arc<Process>> = snapshot.processes.iter().cloned().map(Arc::new).collect();
        let known = self.read();
        let is_new = |socket: &&SocketOwner| {
            let process = usize::try_from(socket.process).ok().and_then(|index| processes.get(index));
            process.is_some_and(|process| !known.confirm(socket, process, now))
        };
        let fresh: Vec<&SocketOwner> = snapshot.sockets.iter().filter(is_new).collect();
        drop(known);
        let mut index = self.write();
        index.forget(now);
        index.addresses = snapshot.addresses.iter().map(IpAddr::to_canonical).collect();
        let mut omitted = snapshot.omitted;
        for socket in fresh {
            let process = usize::try_from(socket.process).ok().and_then(|index| processes.get(index));
            let placed = process.is_some_and(|process| index.insert(socket, Owner::new(Arc::clone(process), now)));
            omitted += u64::from(!placed);
        }
        drop(index);
        self.unowned.store(snapshot.unowned, Ordering::Relaxed);
        self.omitted.fetch_add(omitted, Ordering::Relaxed);
        self.snapshots.fetch_add(1, Ordering::Relaxed);
    }

    fn read(&self) -> RwLockReadGuard<'_, Index> {
        self.index.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Index> {
        self.index.write().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Index {
    fn find(&self, protocol: Protocol, source: SocketAddr, destination: SocketAddr) -> Option<Arc<Process>> {
        let connected = self
            .connected
            .get(&(protocol, source, destination))
            .or_else(|| self.connected.get(&(protocol, destination, source)));
        connected
            .or_else(|| self.bound_to(protocol, source))
            .or_else(|| self.bound_to(protocol, destination))
            .map(|owner| Arc::clone(&owner.process))
    }

    fn is_local(&self, source: SocketAddr, destination: SocketAddr) -> bool {
        self.is_here(source.ip()) || self.is_here(destination.ip())
    }

    /// A socket with this local end, best the one with just this address.
    fn bound_to(&self, protocol: Protocol, end: SocketAddr) -> Option<&Owner> {
        let sockets = self.bound.get(&(protocol, end.port()))?;
        let exact = sockets.iter().find(|(address, _)| *address == end.ip());
        let any = |(address, _): &&(IpAddr, Owner)| address.is_unspecified() && (address.is_ipv6() || end.is_ipv4());
        let found = exact.or_else(|| sockets.iter().find(any).filter(|_| self.is_here(end.ip())))?;
        Some(&found.1)
    }

    /// Whether packets to the address are for sockets of this machine.
    fn is_here(&self, address: IpAddr) -> bool {
        let everyone = match address {
            IpAddr::V4(v4) => v4.is_broadcast() || v4.is_multicast(),
            IpAddr::V6(v6) => v6.is_multicast(),
        };
        everyone || address.is_loopback() || self.addresses.contains(&address)
    }

    /// Notes that a known socket is still there; false when it is not known or has another owner.
    fn confirm(&self, socket: &SocketOwner, process: &Process, now: u64) -> bool {
        let local = canonical(socket.local);
        let owner = match socket.remote {
            Some(remote) => self.connected.get(&(socket.protocol, local, canonical(remote))),
            None => self.bound.get(&(socket.protocol, local.port())).and_then(|sockets| {
                let same = |(address, owner): &&(IpAddr, Owner)| *address == local.ip() && *owner.process == *process;
                sockets.iter().find(same).map(|(_, owner)| owner)
            }),
        };
        owner.is_some_and(|owner| owner.still(process, now))
    }

    /// Whether it found a place.
    fn insert(&mut self, socket: &SocketOwner, owner: Owner) -> bool {
        let local = canonical(socket.local);
        if let Some(remote) = socket.remote {
            let key = (socket.protocol, local, canonical(remote));
            let has_place = self.connected.len() < MAX_SOCKETS || self.connected.contains_key(&key);
            if has_place {
                self.connected.insert(key, owner);
            }
            return has_place;
        }
        if self.bound_count >= MAX_SOCKETS {
            return false;
        }
        let sockets = self.bound.entry((socket.protocol, local.port())).or_default();
        if sockets.len() >= MAX_ON_PORT {
            return true; // enough processes share the port: they are alike
        }
        sockets.insert(0, (local.ip(), owner)); // what was seen last tells best
        self.bound_count += 1;
        true
    }

    fn forget(&mut self, now: u64) {
        self.connected.retain(|_, owner| owner.is_fresh(now, REMEMBER));
        self.bound.retain(|_, sockets| {
            sockets.retain(|(_, owner)| owner.is_fresh(now, REMEMBER_LOCAL));
            !sockets.is_empty()
        });
        self.bound_count = self.bound.values().map(Vec::len).sum();
    }
}

/// IPv4-mapped addresses are IPv4; scopes and flow labels do not identify a flow.
fn canonical(end: SocketAddr) -> SocketAddr {
    SocketAddr::new(end.ip().to_canonical(), end.port())
}
