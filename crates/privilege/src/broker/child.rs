//! The broker's own side: confine, greet, serve until the parent hangs up.
//!
//! Whatever the parent sends is answered or refused; nothing of it is used beyond one operation number. What is held: one
//! buffer for owners, given back when it grew beyond twice the limit.

use std::convert::Infallible;
use std::io::{IoSlice, IoSliceMut};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, OwnedFd};
use std::panic::{AssertUnwindSafe, catch_unwind};

use rustix::io::Errno;
use rustix::net::sockopt::{Timeout, set_socket_timeout, socket_peercred};
use rustix::net::{AddressFamily, Protocol, SocketFlags, SocketType, ipproto, socket_with};
use rustix::net::{RecvAncillaryBuffer, RecvFlags, ReturnFlags, SendAncillaryBuffer, SendAncillaryMessage, SendFlags};
use rustix::net::{recvmsg, sendmsg};
use rustix::process::{Pid, Signal, getppid, getuid, set_parent_process_death_signal, setsid};

use super::fork::exit;
use super::protocol::{Failure, Kind, Operation, PART_BYTES, REQUEST_BYTES, Reply, Request, encode_ready};
use super::{DEFAULT_TIMEOUT, KEPT, MAX_OWNERS_BYTES, filter};
use crate::caps::{CapsError, keep_only};

/// The name of the process in `ps` and `top`: at most 15 bytes.
const NAME: &std::ffi::CStr = c"netwatch-broker";

/// Fills the buffer, which is empty, with the owners.
pub(super) type OwnersFn = Box<dyn FnMut(&mut Vec<u8>)>;

/// The life of the broker.
pub(super) fn run(socket: &OwnedFd, parent: Pid, mut owners: OwnersFn) -> Infallible {
    match confine(socket, parent) {
        Ok((capabilities, seccomp)) => {
            let ready = encode_ready(capabilities, seccomp);
            reply(socket, Reply { payload: &ready, ..Reply::new(0, Kind::Ready) }, None);
        }
        Err(errno) => {
            reply(socket, Reply::new(0, Kind::Failed(Failure::System(errno))), None);
            exit(1);
        }
    }
    let mut buffer = Vec::new();
    loop {
        match next(socket) {
            Next::Request(request) => serve(socket, request, &mut owners, &mut buffer),
            Next::Nonsense(sequence) => reply(socket, Reply::new(sequence, Kind::Failed(Failure::Refused)), None),
            Next::End => exit(0),
        }
    }
}

/// A packet socket that receives nothing until it is bound.
pub(super) fn packet_socket() -> Result<OwnedFd, Errno> {
    socket_with(AddressFamily::PACKET, SocketType::RAW, SocketFlags::CLOEXEC, None)
}

/// A raw socket that receives the packets of one protocol.
fn raw_socket(v6: bool, protocol: Protocol) -> Result<OwnedFd, Errno> {
    let family = if v6 { AddressFamily::INET6 } else { AddressFamily::INET };
    socket_with(family, SocketType::RAW, SocketFlags::CLOEXEC, Some(protocol))
}

const fn icmp_of(v6: bool) -> Protocol {
    if v6 { ipproto::ICMPV6 } else { ipproto::ICMP }
}

/// Gives up all that is not needed; the error number when that does not work. A kernel without seccomp is told, not refused.
fn confine(socket: &OwnedFd, parent: Pid) -> Result<(u64, bool), i32> {
    rustix::thread::set_name(NAME).map_err(Errno::raw_os_error)?;
    ignore_terminal();
    let kept = keep_only(KEPT).map_err(|e| match e {
        CapsError::Read(source) | CapsError::Step { source, .. } => source.raw_os_error().unwrap_or(libc::EIO),
        CapsError::Threads { .. } => libc::EBUSY,
    })?;
    // After the capabilities: changing them may clear it.
    set_parent_process_death_signal(Some(Signal::KILL)).map_err(Errno::raw_os_error)?;
    if getppid() != Some(parent) {
        exit(0); // It died before the signal was armed.
    }
    let peer = socket_peercred(socket).map_err(Errno::raw_os_error)?;
    if peer.pid != parent || peer.uid != getuid() {
        return Err(libc::EPERM);
    }
    // An answer that nobody takes is given up, lest the next question wait for ever.
    set_socket_timeout(socket, Timeout::Send, Some(DEFAULT_TIMEOUT)).map_err(Errno::raw_os_error)?;
    let seccomp = filter::install().is_ok();
    Ok((kept.permitted.bits(), seccomp))
}

/// Ctrl-C and a service manager's stop signal are the parent's business: the broker ends when the parent hangs up.
fn ignore_terminal() {
    // It fails only for the leader of a group, which a new process is not.
    let _ = setsid();
    for signal in [libc::SIGINT, libc::SIGTERM, libc::SIGHUP, libc::SIGPIPE, libc::SIGUSR1, libc::SIGUSR2] {
        // SAFETY: to ignore a signal installs no code of ours.
        unsafe { libc::signal(signal, libc::SIG_IGN) };
    }
}

enum Next {
    Request(Request),
    /// With what stands where a sequence number should be.
    Nonsense(u32),
    End,
}

/// The next request. Descriptors that come with a message are not taken: there is no room for them.
fn next(socket: &OwnedFd) -> Next {
    let mut bytes = [0; REQUEST_BYTES];
    let mut control = RecvAncillaryBuffer::default();
    loop {
        match recvmsg(socket, &mut [IoSliceMut::new(&mut bytes)], &mut control, RecvFlags::CMSG_CLOEXEC) {
            Ok(message) if message.bytes == 0 => return Next::End,
            Ok(message) => {
                let whole = !message.flags.intersects(ReturnFlags::TRUNC | ReturnFlags::CTRUNC);
                let request = bytes.get(..message.bytes).filter(|_| whole).and_then(Request::decode);
                let [.., a, b, c, d] = bytes;
                return request.map_or(Next::Nonsense(u32::from_ne_bytes([a, b, c, d])), Next::Request);
            }
            Err(Errno::INTR) => {}
            Err(_) => return Next::End,
        }
    }
}

fn serve(socket: &OwnedFd, request: Request, owners: &mut OwnersFn, buffer: &mut Vec<u8>) {
    let sequence = request.sequence;
    match request.operation {
        Operation::OpenPacketSocket => reply_socket(socket, sequence, packet_socket()),
        Operation::OpenIcmpSocket { v6 } => reply_socket(socket, sequence, raw_socket(v6, icmp_of(v6))),
        Operation::OpenTcpSocket { v6 } => reply_socket(socket, sequence, raw_socket(v6, ipproto::TCP)),
        Operation::Owners => {
            buffer.clear();
            if catch_unwind(AssertUnwindSafe(|| owners(buffer))).is_err() {
                reply(socket, Reply::new(sequence, Kind::Failed(Failure::Panicked)), None);
            } else {
                reply_bytes(socket, sequence, buffer);
            }
            if buffer.capacity() > 2 * MAX_OWNERS_BYTES {
                *buffer = Vec::new();
            }
        }
    }
}

fn reply_socket(socket: &OwnedFd, sequence: u32, opened: Result<OwnedFd, Errno>) {
    match opened {
        Ok(opened) => reply(socket, Reply::new(sequence, Kind::Socket), Some(&opened)),
        Err(e) => reply(socket, Reply::new(sequence, Kind::Failed(Failure::System(e.raw_os_error()))), None),
    }
}

/// In parts, the last of which may be empty.
fn reply_bytes(socket: &OwnedFd, sequence: u32, bytes: &[u8]) {
    if bytes.len() > MAX_OWNERS_BYTES {
        let length = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
        return reply(socket, Reply::new(sequence, Kind::Failed(Failure::TooLarge(length))), None);
    }
    let mut rest = bytes;
    while rest.len() > PART_BYTES {
        let (part, after) = rest.split_at(PART_BYTES);
        reply(socket, Reply { sequence, kind: Kind::Part, payload: part }, None);
        rest = after;
    }
    reply(socket, Reply { sequence, kind: Kind::Last, payload: rest }, None);
}

/// Sends, or gives up: a parent that is gone is noticed by [`next`], one that does not read has given the question up.
fn reply(socket: &OwnedFd, reply: Reply<'_>, descriptor: Option<&OwnedFd>) {
    let header = reply.header();
    let parts = [IoSlice::new(&header), IoSlice::new(reply.payload)];
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut control = SendAncillaryBuffer::new(&mut space);
    let descriptors = descriptor.map(|d| [d.as_fd()]);
    if let Some(descriptors) = &descriptors {
        control.push(SendAncillaryMessage::ScmRights(descriptors));
    }
    while sendmsg(socket, &parts, &mut control, SendFlags::NOSIGNAL) == Err(Errno::INTR) {}
}
