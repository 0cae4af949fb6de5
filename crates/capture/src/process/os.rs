//! The netlink socket: one question, one answer in several datagrams.

use std::io;
use std::os::fd::OwnedFd;
use std::time::Duration;

use rustix::net::netlink::{self, SocketAddrNetlink};
use rustix::net::sockopt::{Timeout, set_socket_timeout};
use rustix::net::{AddressFamily, RecvFlags, SendFlags, SocketFlags, SocketType, recv, sendto, socket_with};

use super::netlink::{Message, messages};

/// The kernel writes at most 32 KiB into one datagram of a dump.
const DATAGRAM: usize = 32 << 10;

/// A dump is made while we read: a kernel that says nothing for this long says nothing at all.
const PATIENCE: Duration = Duration::from_secs(2);

/// Which part of the kernel is asked.
#[derive(Clone, Copy, Debug)]
pub(super) enum Part {
    /// `NETLINK_SOCK_DIAG`.
    Sockets,
    /// `NETLINK_ROUTE`.
    Addresses,
}

/// A socket for questions, in the network namespace of the caller.
pub(super) fn open(part: Part) -> io::Result<OwnedFd> {
    let protocol = match part {
        Part::Sockets => Some(netlink::SOCK_DIAG),
        Part::Addresses => None, // NETLINK_ROUTE is 0
    };
    let socket = socket_with(AddressFamily::NETLINK, SocketType::RAW, SocketFlags::CLOEXEC, protocol)?;
    set_socket_timeout(&socket, Timeout::Recv, Some(PATIENCE))?;
    Ok(socket)
}

/// Sends the request and gives each message's body to `each`, until the answer is at its end.
pub(super) fn ask(socket: &OwnedFd, request: &[u8], sequence: u32, mut each: impl FnMut(&[u8])) -> io::Result<()> {
    sendto(socket, request, SendFlags::empty(), &SocketAddrNetlink::new(0, 0))?;
    let mut buffer = vec![0; DATAGRAM];
    loop {
        let (length, _) = recv(socket, buffer.as_mut_slice(), RecvFlags::empty())?;
        if length == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        for message in messages(buffer.get(..length).unwrap_or_default(), sequence) {
            match message {
                Message::Data(body) => each(body),
                Message::Done => return Ok(()),
                Message::Error(code) => return Err(io::Error::from_raw_os_error(code)),
            }
        }
    }
}
