//! Sending many frames with one system call (`sendmmsg(2)`).

use std::io;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};

use super::frames::LONGEST;

/// A packet socket that sends past the queueing discipline and receives nothing.
#[derive(Debug)]
pub struct Sender(OwnedFd);

/// Frames that are sent together.
pub struct Batch {
    frames: Vec<[u8; LONGEST]>,
    vectors: Vec<libc::iovec>,
    messages: Vec<libc::mmsghdr>,
}

impl Batch {
    /// Room for `count` frames, payload zero.
    pub fn new(count: usize) -> Self {
        let mut frames = vec![[0_u8; LONGEST]; count];
        let vectors = frames.iter_mut().map(|f| libc::iovec { iov_base: f.as_mut_ptr().cast(), iov_len: 0 }).collect();
        let mut batch = Self { frames, vectors, messages: Vec::new() };
        batch.messages = batch.vectors.iter_mut().map(message).collect();
        batch
    }

    /// Lets `write` write every frame and tell its length.
    pub fn fill(&mut self, mut write: impl FnMut(&mut [u8; LONGEST]) -> usize) {
        for (frame, vector) in self.frames.iter_mut().zip(&mut self.vectors) {
            vector.iov_len = write(frame).min(LONGEST);
            vector.iov_base = frame.as_mut_ptr().cast();
        }
        for (vector, header) in self.vectors.iter_mut().zip(&mut self.messages) {
            header.msg_hdr.msg_iov = vector;
        }
    }
}

fn message(vector: &mut libc::iovec) -> libc::mmsghdr {
    // SAFETY: all octets zero is a valid message without address and control data.
    let mut header: libc::mmsghdr = unsafe { std::mem::zeroed() };
    header.msg_hdr.msg_iov = vector;
    header.msg_hdr.msg_iovlen = 1;
    header
}

impl Sender {
    /// A socket that is bound to `interface`.
    pub fn open(interface: &str) -> io::Result<Self> {
        // SAFETY: no pointer is passed.
        let fd = check(unsafe { libc::socket(libc::AF_PACKET, libc::SOCK_RAW | libc::SOCK_CLOEXEC, 0) })?;
        // SAFETY: the kernel has just given this descriptor to us alone.
        let socket = unsafe { OwnedFd::from_raw_fd(fd) };
        let index = rustix::net::netdevice::name_to_index(&socket, interface)?;
        // SAFETY: all octets zero is a valid `sockaddr_ll`.
        let mut address: libc::sockaddr_ll = unsafe { std::mem::zeroed() };
        address.sll_family = libc::AF_PACKET as libc::c_ushort;
        address.sll_ifindex = index as libc::c_int;
        let (bypass, option) = (1_i32, libc::PACKET_QDISC_BYPASS);
        // SAFETY: `address` and `bypass` live through the calls, and the lengths are theirs.
        unsafe {
            let length = size_of::<libc::sockaddr_ll>() as libc::socklen_t;
            check(libc::bind(socket.as_raw_fd(), (&raw const address).cast(), length))?;
            let length = size_of::<i32>() as libc::socklen_t;
            check(libc::setsockopt(socket.as_raw_fd(), libc::SOL_PACKET, option, (&raw const bypass).cast(), length))?;
        }
        Ok(Self(socket))
    }

    /// Sends a batch: how many frames were taken, and how many refused because a queue was full.
    pub fn send(&self, batch: &mut Batch) -> io::Result<(u64, u64)> {
        let (mut taken, mut refused) = (0, 0);
        let mut rest = batch.messages.as_mut_slice();
        while !rest.is_empty() {
            let count = rest.len() as libc::c_uint;
            // SAFETY: every message points to one vector and every vector to one frame of the batch, all alive; the lengths are
            // those that `fill` has set, within the frames.
            let sent = unsafe { libc::sendmmsg(self.0.as_raw_fd(), rest.as_mut_ptr(), count, 0) };
            let done = match check(sent) {
                Ok(sent) => {
                    taken += u64::from(sent.unsigned_abs());
                    sent.unsigned_abs() as usize
                }
                Err(error) if matches!(error.raw_os_error(), Some(libc::ENOBUFS | libc::EAGAIN)) => {
                    refused += 1;
                    1
                }
                Err(error) => return Err(error),
            };
            rest = rest.get_mut(done.max(1)..).unwrap_or_default();
        }
        Ok((taken, refused))
    }
}

fn check(result: libc::c_int) -> io::Result<libc::c_int> {
    if result < 0 { Err(io::Error::last_os_error()) } else { Ok(result) }
}
