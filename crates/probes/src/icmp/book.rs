//! The jobs of a hub: their places, when each is looked at next, and to which packet of which job an arrival belongs. No socket, no clock.
//!
//! An arrival belongs to a packet when it repeats the packet's token. Errors of old routers quote too little for that: of them the target,
//! the kind and the field that varies are compared.
//!
//! Limits: [`MAX_JOBS`] jobs; further ones are refused.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};
use std::net::IpAddr;
use std::time::Duration;

use netwatch_wire::icmp::Quote;

use super::job::{Carrier, Job, Work};
use super::packet::Segment;
use super::token::{self, Key, Ticket};

/// The most jobs at once.
pub(super) const MAX_JOBS: usize = 200_000;

/// When, the order of entries of the same time, and the job by place and generation.
type Entry = Reverse<(Duration, u64, u32, u32)>;

/// All jobs.
#[derive(Debug, Default)]
pub(super) struct Book {
    pub(super) key: Key,
    jobs: Vec<Option<Job>>,
    free: Vec<u32>,
    generation: u32,
    schedule: BinaryHeap<Entry>,
    entries: u64,
    by_target: HashMap<IpAddr, Vec<u32>>,
}

/// The packet that an arrival belongs to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Found {
    pub(super) slot: u32,
    pub(super) number: u32,
}

impl Book {
    /// Whether another job has a place.
    pub(super) const fn has_room(&self) -> bool {
        self.len() < MAX_JOBS
    }

    /// How many jobs run.
    pub(super) const fn len(&self) -> usize {
        self.jobs.len() - self.free.len()
    }

    /// Gives a job its place and looks at it at `wake`.
    pub(super) fn insert(&mut self, make: impl FnOnce(u32, u32) -> Job) {
        self.generation = self.generation.wrapping_add(1);
        let slot = self.free.pop().unwrap_or_else(|| {
            self.jobs.push(None);
            u32::try_from(self.jobs.len() - 1).unwrap_or(u32::MAX)
        });
        let base = self.key.secret(slot, self.generation);
        let job = make(self.generation, base);
        self.by_target.entry(job.to.ip()).or_default().push(slot);
        let wake = job.wake;
        if let Some(place) = self.jobs.get_mut(slot as usize) {
            *place = Some(job);
        }
        self.look_at(slot, wake);
    }

    /// Takes a job out.
    pub(super) fn remove(&mut self, slot: u32) -> Option<Job> {
        let job = self.jobs.get_mut(slot as usize)?.take()?;
        self.free.push(slot);
        let target = job.to.ip();
        if let Some(slots) = self.by_target.get_mut(&target) {
            slots.retain(|other| *other != slot);
            if slots.is_empty() {
                self.by_target.remove(&target);
            }
        }
        Some(job)
    }

    pub(super) fn job(&mut self, slot: u32) -> Option<&mut Job> {
        self.jobs.get_mut(slot as usize)?.as_mut()
    }

    /// Looks at a job at `wake`, and not when it was to be looked at before.
    pub(super) fn look_at(&mut self, slot: u32, wake: Duration) {
        let Some(Some(job)) = self.jobs.get_mut(slot as usize) else { return };
        job.wake = wake;
        self.entries += 1;
        self.schedule.push(Reverse((wake, self.entries, slot, job.generation)));
    }

    /// When the next job is to be looked at. Stale entries count: they cost a look, no more.
    pub(super) fn next_look(&self) -> Option<Duration> {
        self.schedule.peek().map(|Reverse((wake, ..))| *wake)
    }

    /// A job that is to be looked at by now.
    pub(super) fn due(&mut self, now: Duration) -> Option<u32> {
        while self.next_look()? <= now {
            let Reverse((wake, _, slot, generation)) = self.schedule.pop()?;
            if self.job(slot).is_some_and(|job| job.generation == generation && job.wake == wake) {
                return Some(slot);
            }
        }
        None
    }

    /// The packet whose token `data` begins with, sent to `to`.
    pub(super) fn by_token(&mut self, data: &[u8], to: IpAddr) -> Option<Found> {
        let (slot, number) = Key::claim(data)?;
        let generation = self.job(slot)?.generation;
        let is_ours = self.key.is_of(data, Ticket { slot, generation, number }, to);
        is_ours.then_some(Found { slot, number })
    }

    /// The packet that an error quotes.
    pub(super) fn by_quote(&mut self, quote: &Quote<'_>) -> Option<Found> {
        let to = quote.destination;
        if let Some(echo) = quote.echo() {
            return self.by_data(echo.data, to, |work| {
                let is_echo = matches!(work, Work::Ping(_) | Work::Trace(_, Carrier::Icmp));
                is_echo.then_some((u32::from(echo.sequence), 0xffff))
            });
        }
        if let Some(udp) = quote.udp() {
            let is_udp =
                |work: &Work| matches!(work, Work::Trace(_, Carrier::Udp)).then_some((u32::from(udp.checksum), 0xffff));
            return self.by_data(udp.data, to, is_udp);
        }
        let tcp = quote.tcp()?;
        self.by_sequence(to, tcp.destination, tcp.sequence)
    }

    /// The SYN that a segment of `from` answers.
    pub(super) fn by_segment(&mut self, from: IpAddr, segment: Segment) -> Option<Found> {
        self.by_sequence(from, segment.source, segment.acknowledges)
    }

    fn by_sequence(&mut self, to: IpAddr, port: u16, sequence: u32) -> Option<Found> {
        self.by_marker(to, |job| {
            let is_tcp = matches!(job.work, Work::Trace(_, Carrier::Tcp)) && job.to.port() == port;
            is_tcp.then_some((sequence, u32::MAX))
        })
    }

    /// By the token if enough is quoted, else by the field that varies.
    fn by_data(&mut self, data: &[u8], to: IpAddr, marker: impl Fn(&Work) -> Option<(u32, u32)>) -> Option<Found> {
        if data.len() >= token::BARE { self.by_token(data, to) } else { self.by_marker(to, |job| marker(&job.work)) }
    }

    /// `marker` gives the field that varies and its bits, for jobs that it can be of.
    fn by_marker(&self, to: IpAddr, marker: impl Fn(&Job) -> Option<(u32, u32)>) -> Option<Found> {
        self.by_target.get(&to)?.iter().find_map(|slot| {
            let job = self.jobs.get(*slot as usize)?.as_ref()?;
            let (field, mask) = marker(job)?;
            let number = job.work.number_of(field.wrapping_sub(job.base) & mask, mask)?;
            Some(Found { slot: *slot, number })
        })
    }
}

#[cfg(test)]
mod tests;
