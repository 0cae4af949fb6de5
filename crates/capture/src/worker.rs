//! The core of capture: frames in, records out.
//!
//! A worker is a plain state machine: it takes batches of frames and ticks, and gives records. It knows no socket, no thread and no
//! clock: time comes with the frames and with the tick. Live capture and capture files run the same code; a file's ticks are made of
//! packet time ([`Worker::replay`]).
//!
//! A batch goes through four passes, so that memory is waited for once for the whole batch: take apart and hash; ask for the entry;
//! find it; count. What ends a record (RFC 5470, RFC 7011 `flowEndReason`) is decided by packet time alone: when the next packet comes,
//! or when the sweep or the end of the file finds the flow idle, whichever is first gives the same record.
//!
//! Limits: the table has a fixed number of places; when it is full the lightest of sixteen entries gives way (end reason 5).
//! At most [`Budget`](crate::config::Budget) records are made in one tick; light ended flows beyond that are summed in a record without addresses ("other").

pub mod flow;
pub mod inspection;
pub mod other;
pub mod report;
pub mod shared;
pub mod sweep;

#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::time::Duration;

use netwatch_model::{Record, Timestamp, Untrusted};

use crate::config::FlowConfig;
use crate::dissect::context::Contexts;
use crate::dissect::{Dissected, Packet, dissect, quick};
use crate::fragment::{Fragments, Placed};
use crate::frame::{Frame, InterfaceIndex};
use crate::rates::Rates;
use crate::table::{Keyed, Slot, Table};
use crate::tcp::Tcp;
use flow::Patience;
use inspection::Inspection;
use other::Other;
use report::Reports;
use shared::Shared;

/// Time between ticks.
pub const TICK: Duration = Duration::from_millis(250);
/// Frames that are worked on together.
pub const BATCH: usize = 64;

/// A packet on its way through the passes.
#[derive(Clone, Copy, Debug)]
struct Step {
    packet: Packet,
    keyed: Keyed,
    guess: Option<Slot>,
    /// Which frame of the batch holds the payload.
    frame: u16,
}

/// One worker: its flow table and everything that is said about it.
#[derive(Debug)]
pub struct Worker {
    number: u8,
    config: FlowConfig,
    patience: Patience,
    shared: Arc<Shared>,
    table: Table,
    tcp: Slab,
    contexts: Contexts,
    fragments: Fragments,
    rates: Rates,
    names: Vec<Untrusted>,
    inspection: Inspection,
    reports: Reports,
    other: Other,
    steps: Vec<Step>,
    ended: Vec<Record>,
    ended_in_tick: usize,
    started: u64,
    evicted: u64,
    hand: usize,
    newest: i64,
    last_tick: i64,
    ticks: u32,
    finished: bool,
}

impl Worker {
    /// Worker `number` of as many as share `shared`; `seed` keys its hash.
    #[must_use]
    pub fn new(number: u8, workers: usize, config: FlowConfig, shared: Arc<Shared>, seed: [u64; 4]) -> Self {
        let capacity = config.capacity.div_ceil(workers.max(1));
        Self {
            number,
            table: Table::new(capacity, seed),
            inspection: Inspection::new(config.inspect, &shared),
            patience: Patience::new(&config.timeouts),
            config,
            shared,
            tcp: Slab::new(capacity),
            contexts: Contexts::default(),
            fragments: Fragments::default(),
            rates: Rates::default(),
            names: Vec::new(),
            reports: Reports::default(),
            other: Other::default(),
            steps: Vec::with_capacity(2 * BATCH),
            ended: Vec::new(),
            ended_in_tick: 0,
            started: 0,
            evicted: 0,
            hand: 0,
            newest: 0,
            last_tick: 0,
            ticks: 0,
            finished: false,
        }
    }

    /// Announces an interface (or its new name) before its first frame.
    pub fn interface(&mut self, index: InterfaceIndex, name: &Untrusted) {
        let at = usize::from(index.0);
        if self.names.len() <= at {
            self.names.resize(at + 1, Untrusted::new(""));
        }
        self.names[at] = name.clone();
        self.rates.interface(index, name);
    }

    /// Takes frames in, in the order in which they came.
    pub fn frames(&mut self, frames: &[Frame<'_>]) {
        for batch in frames.chunks(BATCH) {
            self.steps.clear();
            for (at, frame) in batch.iter().enumerate() {
                self.take_apart(frame, u16::try_from(at).unwrap_or(u16::MAX));
            }
            for step in &mut self.steps {
                step.guess = self.table.prefetch_entry(step.keyed.hash);
            }
            for step in &mut self.steps {
                step.guess = self.table.find(&step.keyed, step.guess);
                if let Some(slot) = step.guess {
                    self.tcp.prefetch(self.table.hot(slot).tcp);
                }
            }
            let changes = self.table.changes();
            let mut steps = std::mem::take(&mut self.steps);
            for step in &mut steps {
                // An earlier packet of the batch may have begun, ended or evicted the flow since it was looked for.
                if self.table.changes() != changes {
                    step.guess = self.table.find(&step.keyed, step.guess);
                }
                self.count(step, batch.get(usize::from(step.frame)));
            }
            self.steps = steps;
        }
    }

    /// Takes frames of a capture file in: ticks are made between them by packet time.
    pub fn replay(&mut self, frames: &[Frame<'_>], out: &mut Vec<Record>) {
        let step = i64::try_from(TICK.as_nanos()).unwrap_or(i64::MAX);
        let mut from = 0;
        for (at, frame) in frames.iter().enumerate() {
            let time = frame.time.nanos();
            if self.last_tick == 0 {
                self.last_tick = time;
            } else if time.saturating_sub(self.last_tick) >= step {
                self.frames(&frames[from..at]);
                from = at;
                self.tick(frame.time, out);
            }
        }
        self.frames(&frames[from..]);
    }

    /// Says what has changed. Call it every [`TICK`], with the time of the packets' clock.
    pub fn tick(&mut self, now: Timestamp, out: &mut Vec<Record>) {
        let elapsed = if self.last_tick == 0 { 0 } else { now.nanos().saturating_sub(self.last_tick) };
        self.last_tick = now.nanos();
        self.ticks = self.ticks.wrapping_add(1);
        self.sweep(now.nanos(), elapsed);
        self.report_changed(out);
        out.append(&mut self.ended);
        self.ended_in_tick = 0;
        self.share(now, out);
    }

    /// The source has ended: every record ends, with the reason that packet time gives.
    pub fn finish(&mut self, out: &mut Vec<Record>) {
        self.end_all();
        self.finished = true;
        out.append(&mut self.ended);
        self.share(Timestamp::from_nanos(self.newest), out);
    }

    /// Conversations in the table.
    #[must_use]
    pub fn active(&self) -> usize {
        self.table.len()
    }

    /// Time of the newest packet, in nanoseconds.
    #[must_use]
    pub const fn newest(&self) -> Timestamp {
        Timestamp::from_nanos(self.newest)
    }

    /// First pass: to packets, hashed, with their index line on its way.
    #[inline]
    fn take_apart(&mut self, frame: &Frame<'_>, at: u16) {
        self.newest = self.newest.max(frame.time.nanos());
        match quick::packet(frame) {
            Some(packet) => self.enqueue(packet, at),
            None => self.take_apart_slowly(frame, at),
        }
    }

    /// What [`quick`] leaves.
    #[inline(never)]
    fn take_apart_slowly(&mut self, frame: &Frame<'_>, at: u16) {
        match dissect(frame, &mut self.contexts) {
            Dissected::Packet(packet) => self.enqueue(packet, at),
            Dissected::Tunnel(outer, inner) => {
                self.enqueue(outer, at);
                self.enqueue(inner, at);
            }
            Dissected::Fragment(packet, fragment) => match self.fragments.place(packet, fragment) {
                Placed::Count(packet) => self.enqueue(packet, at),
                Placed::CountBoth(waited, packet) => {
                    self.enqueue(waited, at);
                    self.enqueue(packet, at);
                }
                Placed::Wait => {
                    let (p, a) = (&packet, packet.amount);
                    self.rates.packet(p.interface, p.direction, p.protocol, 0, a.packets, a.l2_octets);
                }
            },
            Dissected::Not(why, amount) => {
                self.rates.undissected(frame.interface, frame.direction, why, amount.l2_octets);
            }
        }
    }

    #[inline(always)]
    fn enqueue(&mut self, packet: Packet, frame: u16) {
        let keyed = self.table.key(&packet);
        self.table.prefetch_bucket(keyed.hash);
        self.steps.push(Step { packet, keyed, guess: None, frame });
    }
}

/// Places for TCP details, one cache line each.
#[derive(Debug)]
struct Slab {
    places: Vec<Tcp>,
    free: Vec<u32>,
}

impl Slab {
    /// Room for as many as the table can have.
    fn new(capacity: usize) -> Self {
        Self { places: crate::table::os::with_capacity_in_large_pages(capacity), free: Vec::new() }
    }

    fn take(&mut self) -> u32 {
        if let Some(at) = self.free.pop() {
            self.places[at as usize] = Tcp::default();
            return at;
        }
        self.places.push(Tcp::default());
        u32::try_from(self.places.len() - 1).unwrap_or(0)
    }

    fn give_back(&mut self, at: u32) {
        if (at as usize) < self.places.len() {
            self.free.push(at);
        }
    }

    #[inline]
    fn get(&self, at: u32) -> Option<&Tcp> {
        self.places.get(at as usize)
    }

    #[inline]
    fn get_mut(&mut self, at: u32) -> Option<&mut Tcp> {
        self.places.get_mut(at as usize)
    }

    #[inline]
    fn prefetch(&self, at: u32) {
        if let Some(tcp) = self.places.get(at as usize) {
            crate::table::os::prefetch(tcp);
        }
    }
}
