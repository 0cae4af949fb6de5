//! A disk in memory that fails as it is told: for the tests of the log and of those who use it.
//!
//! It keeps what was written apart from what is durable. [`MemoryDisk::power_cut`] then shows what may be there afterwards: durable
//! bytes always, others block by block as chance has it, names up to some point of their changes. Writes and syncs fail when a
//! [`Faults`] says so; after a failed sync the disk believes that it is clean, as Linux does, and those bytes never become durable.

use std::collections::BTreeMap;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::files::{File, Files};

/// What is written or lost as one.
const BLOCK: usize = 512;

/// A disk. Clones share it.
#[derive(Clone, Debug, Default)]
pub struct MemoryDisk(Arc<Mutex<Disk>>);

/// What fails, and when. Counts down to the failure; none never fails.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Faults {
    /// So many syncs of files succeed, then one fails.
    pub syncs: Option<u32>,
    /// So many writes succeed, then one fails after half of its bytes.
    pub writes: Option<u32>,
    /// All files together have no more bytes than that.
    pub capacity: Option<usize>,
}

#[derive(Debug, Default)]
struct Disk {
    inodes: Vec<Inode>,
    names: BTreeMap<String, usize>,
    durable_names: BTreeMap<String, usize>,
    /// What `names` was after each change since the last sync of the directory.
    changes: Vec<BTreeMap<String, usize>>,
    faults: Faults,
    is_locked: bool,
    reserved: BTreeMap<usize, usize>,
}

#[derive(Clone, Debug, Default)]
struct Inode {
    live: Vec<u8>,
    durable: Vec<u8>,
    /// Whether the disk forgot what it had not written: those bytes read well and are never durable.
    forgot: Vec<std::ops::Range<usize>>,
}

#[derive(Debug)]
struct Handle {
    disk: MemoryDisk,
    inode: usize,
}

#[derive(Debug)]
struct Lock(MemoryDisk);

impl MemoryDisk {
    /// For a log.
    #[must_use]
    pub fn files(&self) -> Arc<dyn Files> {
        Arc::new(self.clone())
    }

    /// From now on these fail.
    pub fn fail(&self, faults: Faults) {
        self.disk().faults = faults;
    }

    /// What a machine finds on this disk after its power was cut now; `chance` decides what of the rest was written.
    #[must_use]
    pub fn power_cut(&self, mut chance: impl FnMut() -> u64) -> Self {
        let disk = self.disk();
        let kept = usize::try_from(chance()).unwrap_or(0) % (disk.changes.len() + 1);
        let names = kept.checked_sub(1).and_then(|at| disk.changes.get(at)).unwrap_or(&disk.durable_names).clone();
        let inodes: Vec<Inode> = disk.inodes.iter().map(|inode| inode.after_power_cut(&mut chance)).collect();
        let after = Disk { inodes, durable_names: names.clone(), names, ..Disk::default() };
        Self(Arc::new(Mutex::new(after)))
    }

    /// What another process finds when the one that has it was killed now.
    #[must_use]
    pub fn kill(&self) -> Self {
        let disk = self.disk();
        let after = Disk {
            inodes: disk.inodes.clone(),
            names: disk.names.clone(),
            durable_names: disk.durable_names.clone(),
            changes: disk.changes.clone(),
            reserved: disk.reserved.clone(),
            ..Disk::default()
        };
        Self(Arc::new(Mutex::new(after)))
    }

    /// Names of all files, sorted.
    #[must_use]
    pub fn files_there(&self) -> Vec<String> {
        self.disk().names.keys().cloned().collect()
    }

    /// Changes the bytes of a file, at once and durably.
    pub fn damage(&self, name: &str, change: impl FnOnce(&mut Vec<u8>)) {
        let mut disk = self.disk();
        let inode = disk.names.get(name).copied();
        if let Some(inode) = inode.and_then(|at| disk.inodes.get_mut(at)) {
            change(&mut inode.live);
            inode.durable.clone_from(&inode.live);
        }
    }

    fn disk(&self) -> MutexGuard<'_, Disk> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn handle(&self, inode: usize) -> Box<dyn File> {
        Box::new(Handle { disk: self.clone(), inode })
    }
}

impl Disk {
    fn changed(&mut self) {
        self.changes.push(self.names.clone());
    }

    /// Bytes that are left.
    fn free(&self) -> usize {
        let used = |inode: &usize| {
            let written = self.inodes.get(*inode).map_or(0, |inode| inode.live.len());
            written.max(self.reserved.get(inode).copied().unwrap_or(0))
        };
        self.faults.capacity.map_or(usize::MAX, |most| most.saturating_sub(self.names.values().map(used).sum()))
    }
}

impl Inode {
    fn after_power_cut(&self, chance: &mut impl FnMut() -> u64) -> Self {
        let mut bytes = self.durable.clone();
        let grown = self.live.len().saturating_sub(bytes.len());
        let kept = usize::try_from(chance()).unwrap_or(0) % (grown + 1);
        if self.live.len() > bytes.len() {
            bytes.resize(bytes.len() + kept, 0);
        }
        for (at, block) in bytes.chunks_mut(BLOCK).enumerate() {
            let live = self.live.get(at * BLOCK..).unwrap_or_default();
            if chance().is_multiple_of(2) && !self.is_forgotten(at * BLOCK) {
                let length = block.len().min(live.len());
                block[..length].copy_from_slice(&live[..length]);
            }
        }
        Self { live: bytes.clone(), durable: bytes, forgot: Vec::new() }
    }

    fn sync(&mut self) {
        let mut durable = self.live.clone();
        for range in &self.forgot {
            for at in range.clone() {
                if let Some(byte) = durable.get_mut(at) {
                    *byte = self.durable.get(at).copied().unwrap_or(0);
                }
            }
        }
        self.durable = durable;
    }

    fn is_forgotten(&self, at: usize) -> bool {
        self.forgot.iter().any(|range| range.start < at + BLOCK && at < range.end)
    }
}

/// Whether it is time to fail.
fn is_due(countdown: &mut Option<u32>) -> bool {
    match countdown {
        Some(0) => {
            *countdown = None;
            true
        }
        Some(left) => {
            *left -= 1;
            false
        }
        None => false,
    }
}

fn not_found() -> io::Error {
    io::ErrorKind::NotFound.into()
}

impl Files for MemoryDisk {
    fn place(&self) -> String {
        "memory".to_owned()
    }

    fn lock(&self) -> io::Result<Box<dyn Send + Sync>> {
        let mut disk = self.disk();
        if std::mem::replace(&mut disk.is_locked, true) {
            return Err(io::Error::new(io::ErrorKind::WouldBlock, "7"));
        }
        Ok(Box::new(Lock(self.clone())))
    }

    fn names(&self) -> io::Result<Vec<String>> {
        Ok(self.files_there())
    }

    fn create(&self, name: &str) -> io::Result<Box<dyn File>> {
        let mut disk = self.disk();
        if disk.names.contains_key(name) {
            return Err(io::ErrorKind::AlreadyExists.into());
        }
        let inode = disk.inodes.len();
        disk.inodes.push(Inode::default());
        disk.names.insert(name.to_owned(), inode);
        disk.changed();
        Ok(self.handle(inode))
    }

    fn open(&self, name: &str) -> io::Result<Box<dyn File>> {
        let inode = self.disk().names.get(name).copied().ok_or_else(not_found)?;
        Ok(self.handle(inode))
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        let mut disk = self.disk();
        let inode = disk.names.remove(from).ok_or_else(not_found)?;
        disk.names.insert(to.to_owned(), inode);
        disk.changed();
        Ok(())
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        let mut disk = self.disk();
        disk.names.remove(name).ok_or_else(not_found)?;
        disk.changed();
        Ok(())
    }

    fn sync(&self) -> io::Result<()> {
        let mut disk = self.disk();
        disk.durable_names = disk.names.clone();
        disk.changes.clear();
        Ok(())
    }
}

impl File for Handle {
    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        let disk = self.disk.disk();
        let live = disk.inodes.get(self.inode).map_or(&[][..], |inode| &inode.live);
        let there = usize::try_from(offset).ok().and_then(|at| live.get(at..)).unwrap_or_default();
        let count = there.len().min(buffer.len());
        buffer[..count].copy_from_slice(&there[..count]);
        Ok(count)
    }

    fn write_at(&self, offset: u64, bytes: &[u8]) -> io::Result<usize> {
        let mut disk = self.disk.disk();
        let begin = usize::try_from(offset).map_err(io::Error::other)?;
        let free = disk.free();
        let fails = is_due(&mut disk.faults.writes);
        let Some(inode) = disk.inodes.get_mut(self.inode) else { return Err(not_found()) };
        let most = inode.live.len().saturating_add(free).saturating_sub(begin);
        let count = bytes.len().min(most).min(if fails { bytes.len() / 2 } else { usize::MAX });
        if count == 0 && !bytes.is_empty() {
            return Err(if fails { io::Error::other("EIO") } else { io::ErrorKind::StorageFull.into() });
        }
        let end = inode.live.len().max(begin + count);
        inode.live.resize(end, 0);
        inode.live[begin..begin + count].copy_from_slice(&bytes[..count]);
        if fails {
            // The rest of the bytes is offered next, and then it fails.
            disk.faults.writes = Some(0);
        }
        Ok(count)
    }

    fn sync(&self) -> io::Result<()> {
        let mut disk = self.disk.disk();
        let fails = is_due(&mut disk.faults.syncs);
        let Some(inode) = disk.inodes.get_mut(self.inode) else { return Err(not_found()) };
        if fails {
            let forgotten = inode.durable.len()..inode.live.len();
            inode.forgot.push(forgotten);
            return Err(io::Error::other("EIO"));
        }
        inode.sync();
        Ok(())
    }

    fn size(&self) -> io::Result<u64> {
        Ok(self.disk.disk().inodes.get(self.inode).map_or(0, |inode| inode.live.len() as u64))
    }

    fn cut(&self, size: u64) -> io::Result<()> {
        let size = usize::try_from(size).map_err(io::Error::other)?;
        if let Some(inode) = self.disk.disk().inodes.get_mut(self.inode) {
            inode.live.truncate(size);
        }
        Ok(())
    }

    fn reserve(&self, size: u64) -> io::Result<()> {
        let size = usize::try_from(size).map_err(io::Error::other)?;
        let mut disk = self.disk.disk();
        let had = disk.reserved.get(&self.inode).copied().unwrap_or(0);
        if disk.free() < size.saturating_sub(had) {
            return Err(io::ErrorKind::StorageFull.into());
        }
        disk.reserved.insert(self.inode, size);
        Ok(())
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        self.0.disk().is_locked = false;
    }
}
