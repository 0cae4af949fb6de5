//! A signal that wakes threads that wait for descriptors (`eventfd(2)`).

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::Arc;

use rustix::event::{EventfdFlags, PollFd, PollFlags, Timespec, eventfd, poll};

/// Raised once and for all ([`Signal::raise`]), or again and again ([`Signal::clear`]). Clones are the same signal.
#[derive(Clone, Debug)]
pub struct Signal(Arc<OwnedFd>);

impl Signal {
    /// A signal that is not raised.
    ///
    /// # Errors
    /// When the process has no descriptor left.
    pub fn new() -> io::Result<Self> {
        Ok(Self(Arc::new(eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)?)))
    }

    /// Wakes all who wait for it, and all who will.
    pub fn raise(&self) {
        // Fails only when it was raised 2^64 - 2 times without being cleared: then it is raised.
        let _ = rustix::io::write(&*self.0, &1_u64.to_ne_bytes());
    }

    /// Lets it be raised anew.
    pub fn clear(&self) {
        // Fails only when it is not raised.
        let _ = rustix::io::read(&*self.0, &mut [0_u8; 8]);
    }

    /// Whether it is raised.
    #[must_use]
    pub fn is_raised(&self) -> bool {
        let mut waits = [PollFd::new(&self.0, PollFlags::IN)];
        poll(&mut waits, Some(&Timespec { tv_sec: 0, tv_nsec: 0 })).is_ok_and(|ready| ready > 0)
    }
}

impl AsFd for Signal {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn raised_until_cleared() {
        let signal = Signal::new().unwrap();
        assert!(!signal.is_raised());
        let same = signal.clone();
        signal.raise();
        same.raise();
        assert!(signal.is_raised() && same.is_raised());
        signal.clear();
        assert!(!signal.is_raised());
    }
}
