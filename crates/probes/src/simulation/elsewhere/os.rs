//! Datagrams of test packets where the kernel does not stamp them: the time is taken when they are read.
//!
//! Limits: macOS and Windows. Class of traffic and time to live of what comes are not known, an answer leaves from the address that the
//! routing table chooses, and nobody says how far the clock can be trusted, so that there are no one-way delays.

use std::io;
use std::mem::MaybeUninit;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use netwatch_model::Timestamp;
use socket2::{SockAddr, SockRef};

/// A datagram that was received into a buffer.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Received {
    /// Octets in the buffer.
    pub length: usize,
    /// It may have been longer than the buffer.
    pub is_cut: bool,
    /// Who sent it.
    pub source: SocketAddr,
    /// Nobody stamps it.
    pub stamp: Option<Timestamp>,
    /// Not known.
    pub traffic_class: Option<u8>,
    /// Not known.
    pub ttl: Option<u8>,
    /// Not known.
    pub local: Option<(IpAddr, u32)>,
}

#[expect(clippy::unnecessary_wraps, reason = "on Linux it can fail")]
pub(crate) const fn ask(_: &SockRef<'_>, _: bool) -> io::Result<()> {
    Ok(())
}

/// Receives one datagram without waiting.
pub(crate) fn receive(socket: &SockRef<'_>, buffer: &mut [u8]) -> io::Result<Received> {
    let mut room = vec![MaybeUninit::uninit(); buffer.len() + 1];
    let (length, source) = socket.recv_from(&mut room)?;
    let source = source.as_socket().ok_or(io::ErrorKind::InvalidData)?;
    let is_cut = length > buffer.len();
    let length = length.min(buffer.len());
    for (to, from) in buffer.iter_mut().zip(&room[..length]) {
        // SAFETY: `recv_from` has written so many octets.
        *to = unsafe { from.assume_init() };
    }
    Ok(Received { length, is_cut, source, stamp: None, traffic_class: None, ttl: None, local: None })
}

/// Sends a datagram.
pub(crate) fn send_from(
    socket: &SockRef<'_>,
    bytes: &[u8],
    to: SocketAddr,
    _: Option<(IpAddr, u32)>,
    _: u8,
) -> io::Result<usize> {
    socket.send_to(bytes, &SockAddr::from(to))
}

/// Nobody says it here.
pub(crate) const fn clock_error() -> Option<Duration> {
    None
}
