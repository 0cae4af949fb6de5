//! Netlink messages: requests for sockets and addresses, and what the kernel answers (`linux/inet_diag.h`, `linux/rtnetlink.h`).
//!
//! Numbers are in the machine's byte order, ports and addresses in that of the network.

use std::net::{IpAddr, SocketAddr};

use netwatch_model::Protocol;

/// A socket; in answers on `NETLINK_ROUTE` the same number is `RTM_NEWADDR`.
const SOCK_DIAG_BY_FAMILY: u16 = 20;
/// `RTM_GETADDR`.
const GET_ADDRESS: u16 = 22;
const REQUEST_AND_DUMP: u16 = 0x0001 | 0x0300;
const HEADER: usize = 16;

/// TCP states that have an owner: all but TIME_WAIT (6), CLOSE (7), SYN_RECV (3) and NEW_SYN_RECV (12).
const TCP_STATES: u32 = 1 << 1 | 1 << 2 | 1 << 4 | 1 << 5 | 1 << 8 | 1 << 9 | 1 << 10 | 1 << 11;
/// A UDP socket is ESTABLISHED (1) when connected, else CLOSE (7).
const UDP_STATES: u32 = 1 << 1 | 1 << 7;

/// Address families.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Family {
    V4 = 2,
    V6 = 10,
}

/// A socket as the kernel tells it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Socket {
    pub(super) protocol: Protocol,
    pub(super) local: SocketAddr,
    pub(super) remote: Option<SocketAddr>,
    /// The number that `/proc/PID/fd` shows; zero when no process has it.
    pub(super) inode: u32,
}

/// Asks for all sockets of a protocol and family.
pub(super) fn sockets_request(protocol: Protocol, family: Family, sequence: u32) -> Vec<u8> {
    let states = if protocol == Protocol::TCP { TCP_STATES } else { UDP_STATES };
    let mut body = vec![family as u8, protocol.0, 0, 0];
    body.extend(states.to_ne_bytes());
    body.extend([0; 48]); // any socket
    request(SOCK_DIAG_BY_FAMILY, sequence, &body)
}

/// Asks for all addresses of the machine.
pub(super) fn addresses_request(sequence: u32) -> Vec<u8> {
    request(GET_ADDRESS, sequence, &[0; 8])
}

fn request(kind: u16, sequence: u32, body: &[u8]) -> Vec<u8> {
    let length = u32::try_from(HEADER + body.len()).unwrap_or(u32::MAX);
    let mut bytes = length.to_ne_bytes().to_vec();
    bytes.extend(kind.to_ne_bytes());
    bytes.extend(REQUEST_AND_DUMP.to_ne_bytes());
    bytes.extend(sequence.to_ne_bytes());
    bytes.extend([0; 4]);
    bytes.extend(body);
    bytes
}

/// One message of an answer.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Message<'a> {
    /// A socket or an address: its body.
    Data(&'a [u8]),
    /// The answer is at its end.
    Done,
    /// The kernel refused: the error number.
    Error(i32),
}

/// The messages of a datagram that answer the request with that sequence number.
pub(super) fn messages(mut datagram: &[u8], sequence: u32) -> impl Iterator<Item = Message<'_>> {
    const ERROR: u16 = 2;
    const DONE: u16 = 3;
    std::iter::from_fn(move || {
        loop {
            let length = usize::try_from(number(datagram, 0)?).ok()?;
            let message = datagram.get(..length).filter(|message| message.len() >= HEADER)?;
            let kind = u16::from_ne_bytes([*message.get(4)?, *message.get(5)?]);
            let body = message.get(HEADER..).unwrap_or_default();
            datagram = datagram.get(length.next_multiple_of(4)..).unwrap_or_default();
            if number(message, 8) != Some(sequence) {
                continue;
            }
            return Some(match kind {
                DONE => Message::Done,
                ERROR => Message::Error(number(body, 0).map_or(0, |code| code.cast_signed().wrapping_neg())),
                SOCK_DIAG_BY_FAMILY => Message::Data(body), // or RTM_NEWADDR
                _ => continue,
            });
        }
    })
}

/// Reads `inet_diag_msg`.
pub(super) fn socket(body: &[u8], protocol: Protocol) -> Option<Socket> {
    const CONNECTED_TO_NOTHING: u16 = 0;
    let family = *body.first()?;
    let port = |at: usize| Some(u16::from_be_bytes([*body.get(at)?, *body.get(at + 1)?]));
    let address = |at: usize| address(family, body.get(at..)?);
    let (local_port, remote_port) = (port(4)?, port(6)?);
    let remote = SocketAddr::new(address(24)?, remote_port);
    Some(Socket {
        protocol,
        local: SocketAddr::new(address(8)?, local_port),
        remote: (remote_port != CONNECTED_TO_NOTHING).then_some(remote),
        inode: number(body, 68)?,
    })
}

/// Reads `ifaddrmsg` and its attributes: the interface's own address.
pub(super) fn own_address(body: &[u8]) -> Option<IpAddr> {
    const ADDRESS: u16 = 1; // of the other end on a point-to-point interface
    const LOCAL: u16 = 2;
    let family = *body.first()?;
    let mut attributes = body.get(8..)?;
    let mut found = None;
    while let [a, b, c, d, ..] = *attributes {
        let length = usize::from(u16::from_ne_bytes([a, b]));
        let value = attributes.get(4..length)?;
        match u16::from_ne_bytes([c, d]) {
            LOCAL => return address(family, value),
            ADDRESS => found = address(family, value),
            _ => {}
        }
        attributes = attributes.get(length.next_multiple_of(4)..).unwrap_or_default();
    }
    found
}

/// IPv4-mapped addresses become IPv4.
fn address(family: u8, bytes: &[u8]) -> Option<IpAddr> {
    const V4: u8 = Family::V4 as u8;
    const V6: u8 = Family::V6 as u8;
    match family {
        V4 => bytes.first_chunk::<4>().map(|octets| IpAddr::from(*octets)),
        V6 => bytes.first_chunk::<16>().map(|octets| IpAddr::from(*octets).to_canonical()),
        _ => None,
    }
}

fn number(bytes: &[u8], at: usize) -> Option<u32> {
    bytes.get(at..)?.first_chunk::<4>().map(|bytes| u32::from_ne_bytes(*bytes))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn diag(local: &[u8; 16], remote_port: u16) -> Vec<u8> {
        let mut body = vec![10, 1, 0, 0, 0x12, 0x34];
        body.extend(remote_port.to_be_bytes());
        body.extend(local);
        body.extend([0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 9]);
        body.extend([0; 12]);
        body.extend([0; 16]);
        body.extend(77_u32.to_ne_bytes());
        body
    }

    #[test]
    fn sockets_as_the_kernel_writes_them() {
        let mapped = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 192, 0, 2, 1];
        let found = socket(&diag(&mapped, 443), Protocol::TCP).unwrap();
        assert_eq!(found.local, "192.0.2.1:4660".parse().unwrap());
        assert_eq!((found.remote, found.inode), (Some("[2001:db8::9]:443".parse().unwrap()), 77));
        assert_eq!(socket(&diag(&mapped, 0), Protocol::UDP).unwrap().remote, None);
    }

    #[test]
    fn messages_of_other_requests_are_left_out() {
        let message = |kind: u16, sequence: u32, body: &[u8]| {
            let mut bytes = request(kind, sequence, body);
            bytes.resize(bytes.len().next_multiple_of(4), 0);
            bytes
        };
        let refused = (-2_i32).to_ne_bytes();
        let datagram =
            [message(20, 1, b"old"), message(20, 2, b"new"), message(2, 2, &refused), message(3, 2, &[0; 4])].concat();
        let found: Vec<_> = messages(&datagram, 2).collect();
        assert_eq!(found, [Message::Data(b"new"), Message::Error(2), Message::Done]);
    }

    #[test]
    fn the_own_address_is_not_that_of_the_other_end() {
        let mut body = vec![2, 32, 0, 0, 1, 0, 0, 0];
        for (kind, address) in [(1_u16, [10, 0, 0, 2]), (2, [10, 0, 0, 1])] {
            body.extend(8_u16.to_ne_bytes());
            body.extend(kind.to_ne_bytes());
            body.extend(address);
        }
        assert_eq!(own_address(&body), Some("10.0.0.1".parse().unwrap()));
    }

    proptest! {
        #[test]
        fn never_panics(bytes in prop::collection::vec(any::<u8>(), 0..200), length in 0_u32..300) {
            let _ = socket(&bytes, Protocol::TCP);
            let _ = own_address(&bytes);
            let framed = [&length.to_ne_bytes()[..], &20_u16.to_ne_bytes(), &[0; 2], &1_u32.to_ne_bytes(), &[0; 4], &bytes].concat();
            prop_assert!(messages(&framed, 1).count() <= framed.len());
            let _ = messages(&bytes, 0).count();
        }
    }
}
