//! The owners of the local sockets at one moment, as values and as bytes.

use std::net::{IpAddr, SocketAddr};

use netwatch_model::{Process, Protocol, Untrusted};

use super::{MAX_ADDRESSES, MAX_ENCODED, MAX_PROCESSES, MAX_SOCKETS};

/// The first bytes of an encoded snapshot: format 1.
const MAGIC: [u8; 4] = *b"NWo1";

/// Three counts of 4 bytes and two of 8.
const HEAD: usize = 28;

/// A socket and its owner.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct SocketOwner {
    /// TCP or UDP.
    pub protocol: Protocol,
    /// Its own end; the address is unspecified when it takes all.
    pub local: SocketAddr,
    /// The other end; `None` when it is not connected.
    pub remote: Option<SocketAddr>,
    /// Place of the owner in [`Snapshot::processes`].
    pub process: u32,
}

/// The owners of the local sockets at one moment.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Snapshot {
    /// Processes that own sockets.
    pub processes: Vec<Process>,
    /// Sockets whose owner is known.
    pub sockets: Vec<SocketOwner>,
    /// Addresses of this machine.
    pub addresses: Vec<IpAddr>,
    /// Sockets that have no owner here: it may not be looked into, or is in another process namespace.
    pub unowned: u64,
    /// Sockets, processes and addresses that did not fit.
    pub omitted: u64,
}

/// The bytes are not a snapshot.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum DecodeError {
    /// They begin otherwise: another version of the program?
    #[error("the bytes do not begin as a list of socket owners does: restart all parts of Netwatch with one version")]
    Format,
    /// They end too early or announce too much.
    #[error("the list of socket owners is cut or damaged")]
    Damaged,
}

impl Snapshot {
    /// Appends it to `out`: at most [`MAX_ENCODED`] bytes. What does not fit is left out and added to `omitted`.
    pub fn encode(&self, out: &mut Vec<u8>) {
        // The longest entries: a process has three texts of 255 bytes, a socket two IPv6 ends.
        const LONGEST_PROCESS: usize = 800;
        const LONGEST_SOCKET: usize = 64;
        let start = out.len();
        out.extend(MAGIC);
        let head_at = out.len();
        out.extend([0; HEAD]);
        let processes =
            put_all(out, start + MAX_ENCODED / 2 - LONGEST_PROCESS, &self.processes, MAX_PROCESSES, put_process);
        let addresses = put_all(out, start + MAX_ENCODED, &self.addresses, MAX_ADDRESSES, |out, address| {
            put_address(out, *address);
        });
        let known = self.sockets.iter().filter(|socket| socket.process < processes);
        let sockets = put_all(out, start + MAX_ENCODED - LONGEST_SOCKET, known, MAX_SOCKETS, put_socket);
        let all = (self.processes.len() + self.addresses.len() + self.sockets.len()) as u64;
        let written = u64::from(processes) + u64::from(addresses) + u64::from(sockets);
        let omitted = self.omitted.saturating_add(all - written);
        let counts = [processes, addresses, sockets].into_iter().flat_map(u32::to_be_bytes);
        let head = counts.chain(self.unowned.to_be_bytes()).chain(omitted.to_be_bytes());
        out.splice(head_at..head_at + HEAD, head);
    }

    /// Reads what [`Snapshot::encode`] wrote.
    ///
    /// # Errors
    /// When the bytes are not a snapshot, or more than one may hold.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let mut reader = Reader(bytes.strip_prefix(&MAGIC).ok_or(DecodeError::Format)?);
        let processes = reader.count(MAX_PROCESSES)?;
        let addresses = reader.count(MAX_ADDRESSES)?;
        let sockets = reader.count(MAX_SOCKETS)?;
        let (unowned, omitted) = (u64::from_be_bytes(reader.array()?), u64::from_be_bytes(reader.array()?));
        let mut snapshot = Self { unowned, omitted, ..Self::default() };
        for _ in 0..processes {
            snapshot.processes.push(reader.process()?);
        }
        for _ in 0..addresses {
            snapshot.addresses.push(reader.address()?);
        }
        for _ in 0..sockets {
            let socket = reader.socket()?;
            if usize::try_from(socket.process).map_or(true, |index| index >= processes) {
                return Err(DecodeError::Damaged);
            }
            snapshot.sockets.push(socket);
        }
        if reader.0.is_empty() { Ok(snapshot) } else { Err(DecodeError::Damaged) }
    }
}

/// Puts items until there are `most` or `out` has reached `end`. How many it put.
fn put_all<T>(
    out: &mut Vec<u8>,
    end: usize,
    items: impl IntoIterator<Item = T>,
    most: usize,
    put: impl Fn(&mut Vec<u8>, T),
) -> u32 {
    let mut count = 0;
    for item in items.into_iter().take(most) {
        if out.len() >= end {
            break;
        }
        put(out, item);
        count += 1;
    }
    count
}

fn put_process(out: &mut Vec<u8>, process: &Process) {
    out.extend(process.pid.to_be_bytes());
    put_text(out, &process.name);
    put_text(out, &process.user);
    out.push(u8::from(process.container.is_some()));
    process.container.iter().for_each(|container| put_text(out, container));
}

fn put_text(out: &mut Vec<u8>, text: &Untrusted) {
    let bytes = text.raw().as_bytes();
    let length = u8::try_from(bytes.len()).unwrap_or(u8::MAX);
    out.push(length);
    out.extend(bytes.iter().take(usize::from(length)));
}

fn put_address(out: &mut Vec<u8>, address: IpAddr) {
    match address {
        IpAddr::V4(v4) => {
            out.push(4);
            out.extend(v4.octets());
        }
        IpAddr::V6(v6) => {
            out.push(6);
            out.extend(v6.octets());
        }
    }
}

fn put_end(out: &mut Vec<u8>, end: SocketAddr) {
    put_address(out, end.ip());
    out.extend(end.port().to_be_bytes());
}

fn put_socket(out: &mut Vec<u8>, socket: &SocketOwner) {
    out.push(socket.protocol.0);
    put_end(out, socket.local);
    out.push(u8::from(socket.remote.is_some()));
    socket.remote.iter().for_each(|remote| put_end(out, *remote));
    out.extend(socket.process.to_be_bytes());
}

struct Reader<'a>(&'a [u8]);

impl Reader<'_> {
    fn array<const N: usize>(&mut self) -> Result<[u8; N], DecodeError> {
        let (taken, rest) = self.0.split_first_chunk::<N>().ok_or(DecodeError::Damaged)?;
        self.0 = rest;
        Ok(*taken)
    }

    fn byte(&mut self) -> Result<u8, DecodeError> {
        self.array().map(|[byte]| byte)
    }

    fn number(&mut self) -> Result<u32, DecodeError> {
        self.array().map(u32::from_be_bytes)
    }

    fn count(&mut self, limit: usize) -> Result<usize, DecodeError> {
        let count = usize::try_from(self.number()?).map_err(|_| DecodeError::Damaged)?;
        if count > limit { Err(DecodeError::Damaged) } else { Ok(count) }
    }

    fn is_there(&mut self) -> Result<bool, DecodeError> {
        match self.byte()? {
            0 => Ok(false),
            1 => Ok(true),
            _ => Err(DecodeError::Damaged),
        }
    }

    fn text(&mut self) -> Result<Untrusted, DecodeError> {
        let length = usize::from(self.byte()?);
        let (text, rest) = self.0.split_at_checked(length).ok_or(DecodeError::Damaged)?;
        self.0 = rest;
        Ok(Untrusted::from_bytes(text))
    }

    fn process(&mut self) -> Result<Process, DecodeError> {
        let (pid, name, user) = (self.number()?, self.text()?, self.text()?);
        let container = if self.is_there()? { Some(self.text()?) } else { None };
        Ok(Process { pid, name, user, container })
    }

    fn address(&mut self) -> Result<IpAddr, DecodeError> {
        match self.byte()? {
            4 => self.array::<4>().map(IpAddr::from),
            6 => self.array::<16>().map(IpAddr::from),
            _ => Err(DecodeError::Damaged),
        }
    }

    fn end(&mut self) -> Result<SocketAddr, DecodeError> {
        Ok(SocketAddr::new(self.address()?, u16::from_be_bytes(self.array()?)))
    }

    fn socket(&mut self) -> Result<SocketOwner, DecodeError> {
        let (protocol, local) = (Protocol(self.byte()?), self.end()?);
        let remote = if self.is_there()? { Some(self.end()?) } else { None };
        Ok(SocketOwner { protocol, local, remote, process: self.number()? })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn end() -> impl Strategy<Value = SocketAddr> {
        (any::<IpAddr>(), any::<u16>()).prop_map(|(ip, port)| SocketAddr::new(ip, port))
    }

    fn snapshot() -> impl Strategy<Value = Snapshot> {
        let text = || "\\PC{0,20}".prop_map(|text| Untrusted::new(&text));
        let process = (any::<u32>(), text(), text(), prop::option::of(text()))
            .prop_map(|(pid, name, user, container)| Process { pid, name, user, container });
        let socket =
            (any::<bool>(), end(), prop::option::of(end()), 0_u32..3).prop_map(|(tcp, local, remote, process)| {
                let protocol = if tcp { Protocol::TCP } else { Protocol::UDP };
                SocketOwner { protocol, local, remote, process }
            });
        let parts = (
            prop::collection::vec(process, 3..6),
            prop::collection::vec(socket, 0..20),
            prop::collection::vec(any::<IpAddr>(), 0..9),
            any::<u64>(),
            any::<u64>(),
        );
        parts.prop_map(|(processes, sockets, addresses, unowned, omitted)| Snapshot {
            processes,
            sockets,
            addresses,
            unowned,
            omitted,
        })
    }

    proptest! {
        #[test]
        fn round_trip_and_no_cut_is_taken_for_whole(snapshot in snapshot(), cut in any::<prop::sample::Index>()) {
            let mut bytes = Vec::new();
            snapshot.encode(&mut bytes);
            let found = Snapshot::decode(&bytes);
            prop_assert_eq!(found.as_ref(), Ok(&snapshot));
            prop_assert!(Snapshot::decode(&bytes[..cut.index(bytes.len())]).is_err());
        }

        #[test]
        fn never_panics(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = Snapshot::decode(&bytes);
            let _ = Snapshot::decode(&[&MAGIC[..], &[0; 11], &[2], &[0; 16], &bytes].concat());
        }
    }

    #[test]
    fn a_snapshot_beyond_all_limits_is_cut_and_says_so() {
        let long = Untrusted::new(&"x".repeat(255));
        let process = Process { pid: 1, name: long.clone(), user: long.clone(), container: Some(long) };
        let local = SocketAddr::new(IpAddr::from([1_u16; 8]), 1);
        let socket = SocketOwner { protocol: Protocol::TCP, local, remote: Some(local), process: 0 };
        let snapshot = Snapshot {
            processes: vec![process; MAX_PROCESSES + 1],
            sockets: vec![socket; MAX_SOCKETS + 10],
            addresses: vec![local.ip(); MAX_ADDRESSES + 1],
            ..Snapshot::default()
        };
        let mut bytes = Vec::new();
        snapshot.encode(&mut bytes);
        assert!(bytes.len() <= MAX_ENCODED, "{}", bytes.len());
        let found = Snapshot::decode(&bytes).unwrap();
        let all = snapshot.processes.len() + snapshot.sockets.len() + snapshot.addresses.len();
        let kept = found.processes.len() + found.sockets.len() + found.addresses.len();
        assert_eq!(found.omitted, (all - kept) as u64);
    }
}
