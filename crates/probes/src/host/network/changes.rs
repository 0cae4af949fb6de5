//! That addresses, links or routes have changed: the multicast groups of rtnetlink, read and not looked at.
//!
//! What changed is read anew as a whole, so that a burst of messages, or one that was lost because the socket was full, is one change.

use std::io;
use std::os::fd::OwnedFd;
use std::time::Duration;

use rustix::net::netlink::SocketAddrNetlink;
use rustix::net::{AddressFamily, RecvFlags, SocketFlags, SocketType, bind, recv, socket_with};
use tokio::io::unix::AsyncFd;

/// Links, and addresses and routes of IPv4 and IPv6: RTMGRP_* of linux/rtnetlink.h.
const GROUPS: u32 = 0x1 | 0x10 | 0x40 | 0x100 | 0x400;
/// What belongs together comes within this time.
const SETTLE: Duration = Duration::from_secs(2);
/// So many times it is waited for more.
const MOST_PATIENT: u32 = 5;

/// Tells of changes of the network. Use it on a runtime with I/O.
#[derive(Debug)]
pub struct Changes(AsyncFd<OwnedFd>);

impl Changes {
    /// From now on.
    ///
    /// # Errors
    /// When the kernel gives no socket.
    pub fn watch() -> io::Result<Self> {
        let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
        // Protocol 0 of netlink is rtnetlink (NETLINK_ROUTE).
        let socket = socket_with(AddressFamily::NETLINK, SocketType::RAW, flags, None)?;
        bind(&socket, &SocketAddrNetlink::new(0, GROUPS))?;
        #[expect(
            deprecated,
            reason = "`OwnedFd` keeps the descriptor open for as long as it is registered; nothing else is wrong with it"
        )]
        let socket = AsyncFd::new(socket)?;
        Ok(Self(socket))
    }

    /// Waits for the next change, and until it has settled.
    ///
    /// # Errors
    /// When the socket fails.
    pub async fn next(&mut self) -> io::Result<()> {
        self.readable().await?;
        // A network that never settles is read all the same.
        for _ in 0..MOST_PATIENT {
            if tokio::time::timeout(SETTLE, self.readable()).await.is_err() {
                break;
            }
        }
        Ok(())
    }

    /// Something has come; takes all of it.
    async fn readable(&mut self) -> io::Result<()> {
        let mut ready = self.0.readable().await?;
        loop {
            let mut buffer = [0; 8192];
            match ready.try_io(|fd| Ok(recv(fd, &mut buffer, RecvFlags::empty())?)) {
                Ok(Ok(_)) => {}
                // Messages were lost because the socket was full: that is a change, too.
                Ok(Err(error)) if error.raw_os_error() == Some(rustix::io::Errno::NOBUFS.raw_os_error()) => {}
                Ok(Err(error)) => return Err(error),
                Err(_nothing_more) => return Ok(()),
            }
        }
    }
}
