//! The thread of a live worker: it waits for its rings, feeds the worker, and ticks.
//!
//! One turn of the loop: wait (at most until the tick), take commands, read each ring at most once around, tick when it is time.
//! Once around is fair to several interfaces and bounds the turn. Nothing here waits for another thread.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, TryRecvError};
use std::time::Duration;

use netwatch_model::{Record, Untrusted};
use netwatch_telemetry::clock::ClockSource;
use rustix::event::{PollFd, PollFlags, Timespec, poll};

use super::meter::Counters;
use super::outlet::Outlet;
use super::signal::Signal;
use crate::frame::InterfaceIndex;
use crate::ring::Ring;
use crate::worker::{TICK, Worker};

/// What the supervisor tells a reader.
#[derive(Debug)]
pub(super) enum Command {
    /// Read this ring too; its interface has that name.
    Open(Ring, Untrusted),
    /// Read what is left of an interface, then close its ring.
    Close(InterfaceIndex),
}

/// Commands that may wait for a reader.
pub(super) const COMMANDS: usize = 16;

/// A worker with its rings.
pub(super) struct Reader<'c> {
    pub(super) worker: Worker,
    pub(super) commands: Receiver<Command>,
    /// Raised when there are commands.
    pub(super) wake: Signal,
    pub(super) shutdown: Signal,
    /// By interface.
    pub(super) counters: &'c [Counters],
    pub(super) outlet: Outlet,
    pub(super) clock: Arc<dyn ClockSource>,
    pub(super) rings: Vec<Ring>,
}

/// What a reader was woken for, beside frames and time.
struct Woken {
    commands: bool,
    shutdown: bool,
}

impl Reader<'_> {
    /// Reads until shutdown.
    pub(super) fn run(mut self) {
        let mut out = Vec::new();
        let mut next_tick = self.clock.monotonic() + TICK;
        loop {
            let Woken { commands, shutdown } = self.wait(next_tick);
            if shutdown {
                break;
            }
            if commands {
                self.take_commands();
            }
            for ring in &mut self.rings {
                read_around(ring, &mut self.worker);
            }
            let now = self.clock.monotonic();
            if now >= next_tick {
                next_tick = now + TICK;
                self.tick(&mut out);
            }
        }
        for ring in &mut self.rings {
            close(ring, &mut self.worker, self.counters);
        }
        self.worker.finish(&mut out);
        // Nobody waits for frames any more, so the last records may wait for the queue.
        self.outlet.put(&mut out);
    }

    /// Waits for frames, commands, shutdown or the tick, and notices rings that have lost their interface.
    fn wait(&self, until: Duration) -> Woken {
        let left = until.saturating_sub(self.clock.monotonic());
        let timeout = Timespec { tv_sec: left.as_secs().cast_signed(), tv_nsec: i64::from(left.subsec_nanos()) };
        let mut waits = Vec::with_capacity(2 + self.rings.len());
        waits.extend([PollFd::new(&self.wake, PollFlags::IN), PollFd::new(&self.shutdown, PollFlags::IN)]);
        waits.extend(self.rings.iter().map(|ring| PollFd::new(ring, PollFlags::IN)));
        // An interrupted wait is a short one.
        if poll(&mut waits, Some(&timeout)).is_err() {
            return Woken { commands: true, shutdown: self.shutdown.is_raised() };
        }
        for (ring, wait) in self.rings.iter().zip(waits.get(2..).unwrap_or_default()) {
            if wait.revents().contains(PollFlags::ERR) {
                self.examine(ring);
            }
        }
        let raised = |at: usize| waits.get(at).is_some_and(|wait| wait.revents().contains(PollFlags::IN));
        Woken { commands: raised(0), shutdown: raised(1) }
    }

    /// Takes the error off the socket (`ENETDOWN`), so that it can be waited for again.
    fn examine(&self, ring: &Ring) {
        let error = ring.take_error();
        tracing::debug!(?error, target = ?ring.target(), "packet socket has an error");
        if !ring.is_bound()
            && let Some(counters) = self.counters.get(usize::from(ring.target().interface.0))
        {
            counters.note_lost();
        }
    }

    fn take_commands(&mut self) {
        self.wake.clear();
        loop {
            match self.commands.try_recv() {
                Ok(Command::Open(ring, name)) => {
                    self.worker.interface(ring.target().interface, &name);
                    self.rings.push(ring);
                }
                Ok(Command::Close(interface)) => {
                    let of_it = |ring: &mut Ring| ring.target().interface == interface;
                    for mut ring in self.rings.extract_if(.., of_it) {
                        close(&mut ring, &mut self.worker, self.counters);
                    }
                }
                // A supervisor that is gone has raised the shutdown, or will not come back.
                Err(TryRecvError::Empty | TryRecvError::Disconnected) => return,
            }
        }
    }

    fn tick(&mut self, out: &mut Vec<Record>) {
        for ring in &mut self.rings {
            count(ring, self.counters);
        }
        self.worker.tick(self.clock.now(), out);
        self.outlet.offer(out);
    }
}

/// Feeds the worker with the blocks that wait, each at most once.
fn read_around(ring: &mut Ring, worker: &mut Worker) {
    for _ in 0..ring.block_count() {
        let Some(block) = ring.next_block() else { return };
        block.for_each_batch(|frames| worker.frames(frames));
    }
}

fn close(ring: &mut Ring, worker: &mut Worker, counters: &[Counters]) {
    read_around(ring, worker);
    count(ring, counters);
}

fn count(ring: &mut Ring, counters: &[Counters]) {
    let Some(counters) = counters.get(usize::from(ring.target().interface.0)) else { return };
    counters.note_fill(ring.fill());
    match ring.statistics() {
        Ok(statistics) => counters.add(statistics),
        Err(error) => tracing::warn!(%error, "kernel drops are not known for this tick"),
    }
}
