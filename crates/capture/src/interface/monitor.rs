//! The socket on which the kernel tells about links.
//!
//! A full queue (`ENOBUFS`) means that changes were lost without a trace, so all links are asked for again; the caller sees that
//! as [`News::Snapshot`], which tells what is gone too. The socket never blocks: poll it, then call [`Monitor::read`] until it is
//! empty. Needs no right.
//!
//! Limits: one dump at a time; a datagram longer than 64 KiB, which the kernel never sends for links, is passed over.

use std::collections::VecDeque;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::io::Errno;
use rustix::net::netlink::SocketAddrNetlink;
use rustix::net::{AddressFamily, RecvFlags, SendFlags, SocketFlags, SocketType};

use super::link::{Link, Message, dump_request, messages};

/// Why links cannot be watched.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum MonitorError {
    /// No netlink socket.
    #[error("cannot open the netlink socket that tells about interfaces")]
    Open(#[source] io::Error),
    /// The kernel did not take the request for all links.
    #[error("cannot ask the kernel for its interfaces")]
    Ask(#[source] io::Error),
    /// The kernel's answer could not be read.
    #[error("cannot read what the kernel tells about interfaces")]
    Read(#[source] io::Error),
}

/// What has changed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum News {
    /// All links that there are: whatever is not among them is gone.
    Snapshot(Vec<Link>),
    /// A link is new or has changed.
    Present(Link),
    /// The link of that index is gone.
    Gone(u32),
}

/// Watches the links of the network namespace in which it was opened.
#[derive(Debug)]
pub struct Monitor {
    socket: OwnedFd,
    /// Links of the dump that is under way.
    dump: Option<Vec<Link>>,
    news: VecDeque<News>,
    buffer: Vec<u8>,
}

/// The largest datagram that is read.
const BUFFER: usize = 64 << 10;
/// More links than this are not kept in a snapshot.
const MAX_LINKS: usize = 16_384;

impl Monitor {
    /// Opens the socket and asks for all links: the first news is a snapshot.
    ///
    /// # Errors
    /// When the kernel has no netlink, or no memory.
    pub fn open() -> Result<Self, MonitorError> {
        let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
        // The default protocol of netlink is NETLINK_ROUTE.
        let socket = rustix::net::socket_with(AddressFamily::NETLINK, SocketType::RAW, flags, None)
            .map_err(|e| MonitorError::Open(e.into()))?;
        let groups = libc::RTMGRP_LINK as u32;
        rustix::net::bind(&socket, &SocketAddrNetlink::new(0, groups)).map_err(|e| MonitorError::Open(e.into()))?;
        rustix::net::send(&socket, &dump_request(1), SendFlags::empty()).map_err(|e| MonitorError::Ask(e.into()))?;
        Ok(Self { socket, dump: Some(Vec::new()), news: VecDeque::new(), buffer: vec![0; BUFFER] })
    }

    /// The next news, or nothing for now.
    ///
    /// # Errors
    /// When the socket fails; it is of no more use then.
    pub fn read(&mut self) -> Result<Option<News>, MonitorError> {
        while self.news.is_empty() {
            match rustix::net::recv(&self.socket, &mut self.buffer[..], RecvFlags::empty()) {
                Ok((read, _)) => self.take(read)?,
                Err(Errno::AGAIN) => return Ok(None),
                Err(Errno::INTR) => {}
                Err(Errno::NOBUFS) => self.begin_again()?,
                Err(error) => return Err(MonitorError::Read(error.into())),
            }
        }
        Ok(self.news.pop_front())
    }

    /// News were lost (netlink(7)): on a new socket no half of an older dump can be taken for a whole one.
    fn begin_again(&mut self) -> Result<(), MonitorError> {
        tracing::warn!("the kernel told more about interfaces than could be read; asking for all of them again");
        *self = Self::open()?;
        Ok(())
    }

    fn take(&mut self, read: usize) -> Result<(), MonitorError> {
        let datagram = self.buffer.get(..read).unwrap_or_default();
        for message in messages(datagram) {
            match (message, &mut self.dump) {
                (Message::Present(link), Some(links)) if links.len() < MAX_LINKS => {
                    links.retain(|known| known.index != link.index);
                    links.push(link);
                }
                (Message::Present(_), Some(_)) => {}
                (Message::Present(link), None) => self.news.push_back(News::Present(link)),
                (Message::Gone(index), Some(links)) => links.retain(|known| known.index != index),
                (Message::Gone(index), None) => self.news.push_back(News::Gone(index)),
                (Message::Done, dump) => self.news.extend(dump.take().map(News::Snapshot)),
                (Message::Refused(code), _) => return Err(MonitorError::Ask(io::Error::from_raw_os_error(code))),
            }
        }
        Ok(())
    }
}

impl AsFd for Monitor {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}

/// All links of the calling thread's network namespace.
///
/// # Errors
/// When the kernel does not answer within a second.
pub fn list() -> Result<Vec<Link>, MonitorError> {
    use rustix::event::{PollFd, PollFlags, Timespec, poll};
    let mut monitor = Monitor::open()?;
    loop {
        match monitor.read()? {
            Some(News::Snapshot(links)) => return Ok(links),
            Some(_) => {}
            None => {
                let mut wait = [PollFd::new(&monitor, PollFlags::IN)];
                let ready = poll(&mut wait, Some(&Timespec { tv_sec: 1, tv_nsec: 0 }));
                if ready.map_err(|e| MonitorError::Read(e.into()))? == 0 {
                    return Err(MonitorError::Read(io::ErrorKind::TimedOut.into()));
                }
            }
        }
    }
}
