//! Sending: what is due becomes packets, packets become batches, and each learns when it left.

use std::io;
use std::os::fd::AsFd;
use std::time::Duration;

use netwatch_telemetry::clock;
use rustix::event::{PollFd, PollFlags, Timespec, poll};

use super::Driver;
use crate::icmp::datagram::Datagram;
use crate::icmp::echoes::Next;
use crate::icmp::job::{Carrier, Due, Work};
use crate::icmp::outbox::Owner;
use crate::icmp::packet::{self, Ends};
use crate::icmp::token::{self, Ticket};
use crate::icmp::{keys, os};

/// Batches that are sent in a round before what came is received: more would fill the sockets with answers.
const BATCHES: usize = 4;
/// How often a socket that is full is waited for, 1 ms each time.
const PATIENCE: u32 = 20;
/// Octets of the IP headers, and of those of ICMP and UDP.
const IP_HEADER: (usize, usize) = (20, 40);
const TRANSPORT_HEADER: usize = 8;

impl Driver {
    /// Sends what is due; whether more is due than a round may send.
    pub(super) fn send_due(&mut self, now: Duration) -> bool {
        let mut batches = 0;
        while batches < BATCHES {
            let Some(slot) = self.book.due(now) else {
                self.flush();
                return false;
            };
            batches += usize::from(self.serve(slot, now));
        }
        self.flush();
        self.book.next_look().is_some_and(|next| next <= now)
    }

    /// Does what a job has to do by now, at most a batch of it; whether a batch was sent on the way.
    fn serve(&mut self, slot: u32, now: Duration) -> bool {
        let Some(job) = self.book.job(slot) else { return false };
        if job.waiting.is_closed() {
            // Nobody waits any more: the run was given up.
            self.finish(slot);
            return false;
        }
        let (mut next, mut was_flushed) = (job.work.next(now), false);
        // Until the next batch it goes on with the same job: finding another costs more than a packet.
        while let (Next::Send(at), false) = (next, was_flushed) {
            if at > now {
                break;
            }
            let Some(job) = self.book.job(slot) else { return was_flushed };
            self.counters.late(now.saturating_sub(at));
            let due = job.work.send(now);
            next = job.work.next(now);
            was_flushed = self.emit(slot, due);
        }
        match next {
            Next::Send(at) | Next::Wait(at) => self.book.look_at(slot, at),
            Next::Done => self.finish(slot),
        }
        was_flushed
    }

    /// Puts a packet into the batch; whether the batch before it had to be sent first.
    fn emit(&mut self, slot: u32, due: Due) -> bool {
        let Some(job) = self.book.job(slot) else { return false };
        let road = job.roads.get(usize::from(due.flow)).or(job.roads.first());
        let (Some(channel), octets) = (road.copied(), usize::from(job.octets)) else { return false };
        let was_full = self.outbox.is_full_for(channel, octets + token::LENGTH + TRANSPORT_HEADER);
        if was_full {
            self.flush();
        }
        let Some(job) = self.book.job(slot) else { return was_full };
        let owner = Owner { slot, generation: job.generation, number: due.number };
        let (to, traffic_class) = (job.to, job.traffic_class);
        self.outbox.channel = channel;
        let start = self.outbox.bytes.len();
        self.encode(slot, due, channel);
        let range = start..self.outbox.bytes.len();
        // Raw sockets of IPv6 take the port for a protocol.
        let port = if matches!(self.book.job(slot).map(|job| &job.work), Some(Work::Trace(_, Carrier::Udp))) {
            to.port()
        } else {
            0
        };
        let mut to = to;
        to.set_port(port);
        self.outbox.datagrams.push(Datagram { range, to, hop_limit: due.ttl, traffic_class });
        self.outbox.owners.push(owner);
        was_full
    }

    /// Writes a packet to the end of the batch.
    fn encode(&mut self, slot: u32, due: Due, channel: usize) {
        let Some(Some(road)) = self.channels.get(channel) else { return };
        let Some(job) = self.book.job(slot) else { return };
        let (to, v6, base) = (job.to, job.to.is_ipv6(), job.base);
        let ticket = Ticket { slot, generation: job.generation, number: due.number };
        let headers = TRANSPORT_HEADER + if v6 { IP_HEADER.1 } else { IP_HEADER.0 };
        let octets = if due.small { 0 } else { usize::from(job.octets) };
        let (carrier, local) = (if let Work::Trace(_, carrier) = job.work { Some(carrier) } else { None }, job.local);
        let token = self.book.key.token(ticket, to.ip());
        let [.., high, low] = base.wrapping_add(due.number).to_be_bytes();
        let marker = u16::from_be_bytes([high, low]);
        let flow_key = road.flow_key(due.flow);
        let ends = Ends { source: (local.unwrap_or(to.ip()), flow_key), target: (to.ip(), to.port()) };
        let out = &mut self.outbox.bytes;
        match carrier {
            None => packet::echo(v6, self.identifier, marker, &token, octets, out),
            Some(Carrier::Icmp) => {
                let checksum = keys::checksum(due.flow);
                packet::echo_of_flow(v6, flow_key, checksum, marker, token, octets.saturating_sub(headers), out);
            }
            Some(Carrier::Udp) => packet::datagram(ends, marker, token, octets.saturating_sub(headers), out),
            Some(Carrier::Tcp) => packet::syn(ends, base.wrapping_add(due.number), out),
        }
    }

    /// Sends the batch. Packets that the kernel refuses are told so to their jobs.
    pub(super) fn flush(&mut self) {
        let (mut done, mut patience, mut failed) = (0, PATIENCE, None);
        while let Some(rest) = self.outbox.datagrams.get(done..).filter(|rest| !rest.is_empty()) {
            let Some(Some(channel)) = self.channels.get(self.outbox.channel) else { break };
            let before = clock::monotonic();
            match os::send_batch(channel, rest, &self.outbox.bytes) {
                Ok(count) => {
                    self.counters.sent(count);
                    self.note_departures(done, count, before, clock::monotonic());
                    done += count.max(1);
                }
                Err(error) if is_full(&error) && patience > 0 => {
                    patience -= 1;
                    let millisecond = Timespec { tv_sec: 0, tv_nsec: 1_000_000 };
                    // Whatever comes of it, the next attempt tells.
                    let _ = poll(&mut [PollFd::from_borrowed_fd(channel.as_fd(), PollFlags::OUT)], Some(&millisecond));
                }
                // A socket with an error queue tells the error of an earlier packet once: this one has not been tried.
                Err(_) if channel.has_error_queue && failed != Some(done) => failed = Some(done),
                Err(error) => {
                    self.counters.refused();
                    self.note_refusal(done, &error);
                    done += 1;
                }
            }
        }
        self.outbox.clear();
    }

    /// A call of several packets takes time for each: the n-th left when the ones before it were done.
    fn note_departures(&mut self, first: usize, count: usize, before: Duration, after: Duration) {
        let each = self.pace.of_batch(after.saturating_sub(before), count);
        let owners = self.outbox.owners.get(first..).unwrap_or_default().iter().take(count);
        for (owner, place) in owners.zip(0..) {
            if let Some(job) = self.book.job(owner.slot).filter(|job| job.generation == owner.generation) {
                job.work.left(owner.number, before + each * place);
            }
        }
    }

    fn note_refusal(&mut self, place: usize, error: &io::Error) {
        let Some(owner) = self.outbox.owners.get(place).copied() else { return };
        if let Some(job) = self.book.job(owner.slot).filter(|job| job.generation == owner.generation) {
            job.work.refused(owner.number, error.raw_os_error().unwrap_or_default());
        }
    }
}

fn is_full(error: &io::Error) -> bool {
    let no_buffers = rustix::io::Errno::NOBUFS.raw_os_error();
    error.kind() == io::ErrorKind::WouldBlock || error.raw_os_error() == Some(no_buffers)
}
