//! Wakes the hub's thread where it sleeps, and costs next to nothing while it is awake.
//!
//! Why: a thousand orders a second are a thousand system calls when each wakes a thread that is awake. What: the thread says that it is
//! about to sleep, looks for orders once more, and sleeps; who gives an order looks whether it has said so. Fences on both sides make
//! sure that at least one of them sees the other.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::atomic::{AtomicBool, Ordering, fence};

use rustix::event::{EventfdFlags, eventfd};

/// A bell for one sleeper.
#[derive(Debug)]
pub(super) struct Bell {
    event: OwnedFd,
    sleeps: AtomicBool,
}

impl Bell {
    pub(super) fn new() -> io::Result<Self> {
        let event = eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)?;
        Ok(Self { event, sleeps: AtomicBool::new(false) })
    }

    /// Wakes the sleeper, if it sleeps, after something was left for it.
    pub(super) fn ring(&self) {
        fence(Ordering::SeqCst);
        if self.sleeps.load(Ordering::Relaxed) && self.sleeps.swap(false, Ordering::Relaxed) {
            // It fails only when the bell has been rung for 2⁶⁴ times and nobody came.
            let _ = rustix::io::write(&self.event, &1_u64.to_ne_bytes());
        }
    }

    /// The sleeper is about to sleep: it must look for what was left for it after this, and then wait for the bell.
    pub(super) fn lie_down(&self) {
        self.sleeps.store(true, Ordering::Relaxed);
        fence(Ordering::SeqCst);
    }

    /// The sleeper is awake; `rung` says whether the bell has rung.
    pub(super) fn get_up(&self, rung: bool) {
        self.sleeps.store(false, Ordering::Relaxed);
        if rung {
            // Nothing to read means that another round has read it.
            let _ = rustix::io::read(&self.event, &mut [0; 8]);
        }
    }
}

impl AsFd for Bell {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.event.as_fd()
    }
}
