//! Sockets from the kernel, their processes from `/proc`.
//!
//! The kernel tells the inode of each socket (`NETLINK_SOCK_DIAG`); the process that has it open is found by its links in
//! `/proc/PID/fd`. That search is what costs, so it is made only for inodes that are new: first in the processes that own sockets
//! already, then in the others. Inodes that nobody has after [`MAX_SEARCHES`] searches (the kernel's own, or those of processes that may
//! not be looked into) are not searched for again.

use std::collections::{HashMap, HashSet};
use std::fs;
use std::io::{self, Read};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use netwatch_model::{Process, Protocol, Untrusted};

use super::container::container_of;
use super::netlink::{Family, Socket, addresses_request, own_address, socket, sockets_request};
use super::os::{Part, ask, open};
use super::{LookupError, MAX_ADDRESSES, MAX_PROCESSES, MAX_SOCKETS, OwnerLookup, Snapshot, SocketOwner};

/// Searches that an inode without an owner is worth.
pub const MAX_SEARCHES: u8 = 3;

/// Links that one search looks at: about a quarter of a second of work.
pub const MAX_LINKS: usize = 1 << 18;

/// Bytes of a file that are read.
const MAX_FILE: u64 = 1 << 20;

/// Looks for owners in this process, with its rights: without `CAP_SYS_PTRACE` only processes of the same user are found.
#[derive(Debug)]
pub struct ProcLookup {
    proc: PathBuf,
    users: Users,
    sequence: u32,
    owners: HashMap<u32, u32>,
    searches: HashMap<u32, u8>,
}

impl ProcLookup {
    /// Opens nothing yet.
    #[must_use]
    pub fn new() -> Self {
        Self::with_paths(Path::new("/proc"), Path::new("/etc/passwd"))
    }

    /// The same with files of a test.
    pub(super) fn with_paths(proc: &Path, passwd: &Path) -> Self {
        Self {
            proc: proc.to_owned(),
            users: Users::new(passwd),
            sequence: 0,
            owners: HashMap::new(),
            searches: HashMap::new(),
        }
    }

    /// Finds the owners of these sockets.
    pub(super) fn attribute(&mut self, sockets: &[Socket]) -> Result<Snapshot, LookupError> {
        let inodes: HashSet<u32> = sockets.iter().map(|socket| socket.inode).filter(|inode| *inode != 0).collect();
        self.owners.retain(|inode, _| inodes.contains(inode));
        self.searches.retain(|inode, _| inodes.contains(inode));
        let mut missing: HashSet<u32> = inodes.into_iter().filter(|inode| self.is_missing(*inode)).collect();
        if !missing.is_empty() {
            self.search(&mut missing)?;
            for inode in missing {
                let searches = self.searches.entry(inode).or_default();
                *searches = searches.saturating_add(1);
            }
        }
        self.users.refresh();
        Ok(self.describe(sockets))
    }

    fn is_missing(&self, inode: u32) -> bool {
        !self.owners.contains_key(&inode) && self.searches.get(&inode).is_none_or(|searches| *searches < MAX_SEARCHES)
    }

    fn search(&mut self, missing: &mut HashSet<u32>) -> Result<(), LookupError> {
        let mut links = MAX_LINKS;
        let known: HashSet<u32> = self.owners.values().copied().collect();
        for pid in &known {
            self.search_in(*pid, missing, &mut links);
        }
        if missing.is_empty() {
            return Ok(());
        }
        let fail = |source| LookupError::Processes { path: self.proc.clone(), source };
        let mut others: Vec<u32> = fs::read_dir(&self.proc)
            .map_err(fail)?
            .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
            .filter(|pid| !known.contains(pid))
            .collect();
        // The newest first: it is most likely to have the newest socket, and to be gone soon.
        others.sort_unstable_by(|a, b| b.cmp(a));
        for pid in others {
            if missing.is_empty() || links == 0 {
                break;
            }
            self.search_in(pid, missing, &mut links);
        }
        Ok(())
    }

    /// A process that ended, or may not be looked into, has no links.
    fn search_in(&mut self, pid: u32, missing: &mut HashSet<u32>, links: &mut usize) {
        let Ok(entries) = fs::read_dir(self.proc.join(format!("{pid}/fd"))) else { return };
        for entry in entries.flatten() {
            if missing.is_empty() || *links == 0 {
                return;
            }
            *links -= 1;
            let inode = fs::read_link(entry.path()).ok().and_then(|target| inode_of(target.to_str()?));
            if let Some(inode) = inode.filter(|inode| missing.remove(inode)) {
                self.owners.insert(inode, pid);
                self.searches.remove(&inode);
            }
        }
    }

    fn describe(&mut self, sockets: &[Socket]) -> Snapshot {
        let mut snapshot = Snapshot::default();
        let mut places: HashMap<u32, Option<u32>> = HashMap::new();
        for socket in sockets {
            let Some(pid) = self.owners.get(&socket.inode).copied() else {
                snapshot.unowned += u64::from(socket.inode != 0);
                continue;
            };
            let place = *places.entry(pid).or_insert_with(|| self.add_process(pid, &mut snapshot));
            match place {
                Some(process) => {
                    let (protocol, local, remote) = (socket.protocol, socket.local, socket.remote);
                    snapshot.sockets.push(SocketOwner { protocol, local, remote, process });
                }
                None => {
                    self.owners.remove(&socket.inode); // it ended: somebody else may have the socket
                    snapshot.unowned += 1;
                }
            }
        }
        snapshot
    }

    fn add_process(&self, pid: u32, snapshot: &mut Snapshot) -> Option<u32> {
        if snapshot.processes.len() >= MAX_PROCESSES {
            snapshot.omitted += 1;
            return None;
        }
        let folder = self.proc.join(pid.to_string());
        let comm = read_some(&folder.join("comm")).ok()?;
        let name = Untrusted::from_bytes(comm.strip_suffix(b"\n").unwrap_or(&comm));
        let user = self.users.name(fs::metadata(&folder).ok()?.uid());
        let cgroup = read_some(&folder.join("cgroup")).unwrap_or_default();
        let container = container_of(&String::from_utf8_lossy(&cgroup));
        snapshot.processes.push(Process { pid, name, user, container });
        u32::try_from(snapshot.processes.len() - 1).ok()
    }

    fn sockets(&mut self) -> Result<(Vec<Socket>, u64), LookupError> {
        let channel = open(Part::Sockets).map_err(LookupError::Open)?;
        let (mut sockets, mut omitted) = (Vec::new(), 0);
        for protocol in [Protocol::TCP, Protocol::UDP] {
            for family in [Family::V4, Family::V6] {
                self.sequence = self.sequence.wrapping_add(1);
                let request = sockets_request(protocol, family, self.sequence);
                let take = |body: &[u8]| match socket(body, protocol) {
                    Some(socket) if sockets.len() < MAX_SOCKETS => sockets.push(socket),
                    _ => omitted += 1,
                };
                let outcome = ask(&channel, &request, self.sequence, take);
                outcome.map_err(|source| LookupError::Dump { what: "sockets", source })?;
            }
        }
        Ok((sockets, omitted))
    }

    fn addresses(&mut self) -> Result<Vec<std::net::IpAddr>, LookupError> {
        let channel = open(Part::Addresses).map_err(LookupError::Open)?;
        self.sequence = self.sequence.wrapping_add(1);
        let mut addresses = Vec::new();
        let take = |body: &[u8]| addresses.extend(own_address(body));
        let outcome = ask(&channel, &addresses_request(self.sequence), self.sequence, take);
        outcome.map_err(|source| LookupError::Dump { what: "addresses", source })?;
        addresses.truncate(MAX_ADDRESSES);
        Ok(addresses)
    }
}

impl Default for ProcLookup {
    fn default() -> Self {
        Self::new()
    }
}

impl OwnerLookup for ProcLookup {
    fn snapshot(&mut self) -> Result<Snapshot, LookupError> {
        let (sockets, omitted) = self.sockets()?;
        let addresses = self.addresses()?;
        let snapshot = self.attribute(&sockets)?;
        Ok(Snapshot { addresses, omitted: snapshot.omitted + omitted, ..snapshot })
    }
}

/// `socket:[123]`.
fn inode_of(target: &str) -> Option<u32> {
    target.strip_prefix("socket:[")?.strip_suffix(']')?.parse().ok()
}

fn read_some(path: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    fs::File::open(path)?.take(MAX_FILE).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Names of users, from the passwd file alone: users of a directory service keep their number.
#[derive(Debug)]
struct Users {
    path: PathBuf,
    modified: Option<SystemTime>,
    names: HashMap<u32, Untrusted>,
}

impl Users {
    fn new(path: &Path) -> Self {
        Self { path: path.to_owned(), modified: None, names: HashMap::new() }
    }

    /// Reads the file again when it has changed.
    fn refresh(&mut self) {
        let modified = fs::metadata(&self.path).and_then(|metadata| metadata.modified()).ok();
        if modified.is_none() || modified == self.modified {
            return;
        }
        self.modified = modified;
        let text = read_some(&self.path).unwrap_or_default();
        self.names = String::from_utf8_lossy(&text).lines().filter_map(Self::line).collect();
    }

    /// `name:password:number:…` (passwd(5)).
    fn line(line: &str) -> Option<(u32, Untrusted)> {
        let mut fields = line.split(':');
        let (name, _, number) = (fields.next()?, fields.next()?, fields.next()?);
        Some((number.parse().ok()?, Untrusted::new(name)))
    }

    fn name(&self, number: u32) -> Untrusted {
        self.names.get(&number).cloned().unwrap_or_else(|| Untrusted::new(&number.to_string()))
    }
}
