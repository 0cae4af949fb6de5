//! Receiving: what came on which channel, when, and to which packet of which job it belongs.

use std::net::IpAddr;
use std::time::Duration;

use netwatch_model::Timestamp;
use netwatch_telemetry::clock;
use netwatch_wire::icmp::{self, Cause, Message, Sum};

use super::Driver;
use crate::icmp::book::{Book, Found};
use crate::icmp::channel::{Channel, Road};
use crate::icmp::course::Reply;
use crate::icmp::datagram::{Offender, Received};
use crate::icmp::job::{Arrival, Work};
use crate::icmp::os::BATCH;
use crate::icmp::packet;

/// Batches that are received from one channel before others have their turn.
const BATCHES: usize = 32;
/// A stamp older than this is not believed: the wall clock was set.
const OLDEST: Duration = Duration::from_secs(1);

/// Both clocks at one moment.
#[derive(Clone, Copy)]
struct Now {
    wall: Timestamp,
    monotonic: Duration,
}

impl Driver {
    /// Receives what came on all channels.
    pub(super) fn receive(&mut self) {
        for place in 0..self.channels.len() {
            self.receive_from(place, false);
            if self
                .channels
                .get(place)
                .is_some_and(|channel| channel.as_ref().is_some_and(|channel| channel.has_error_queue))
            {
                self.receive_from(place, true);
            }
        }
    }

    fn receive_from(&mut self, place: usize, errors: bool) {
        for _ in 0..BATCHES {
            let Some(Some(channel)) = self.channels.get_mut(place) else { return };
            // An error is that of a packet before (the interface went down), and has been told by now.
            let count = self.inbox.receive(channel, BATCH, errors).unwrap_or(0);
            let now = Now { wall: clock::now(), monotonic: clock::monotonic() };
            let mut touched = Vec::new();
            for index in 0..count {
                let Some(received) = self.inbox.get(index) else { break };
                if let Some(drops) = received.drops {
                    self.counters.dropped(channel.note_drops(drops));
                }
                let found = understand(channel, &received, &mut self.book);
                self.counters.arrived(found.is_some());
                let Some((found, from, reply)) = found else { continue };
                let Some(job) = self.book.job(found.slot) else { continue };
                // Every raw socket gets every answer: it counts where the packet was sent from, and once.
                if !job.listens_on(place) {
                    continue;
                }
                if job.local.is_none() && matches!((&job.work, &reply), (Work::Ping(_), Reply::Target)) {
                    job.local = received.local.or_else(|| destination(channel, received.bytes));
                }
                let at = arrival_time(received.stamp, now);
                job.kernel_stamps &= received.stamp.is_some();
                if job.work.arrived(Arrival { number: found.number, at, from, reply, hop_limit: received.hop_limit }) {
                    touched.push(found.slot);
                }
            }
            touched.into_iter().for_each(|slot| self.look_again(slot, now.monotonic));
            if count < BATCH {
                return;
            }
        }
    }
}

/// The stamp is of the wall clock; how old it is says when that was on the monotonic clock.
fn arrival_time(stamp: Option<i64>, now: Now) -> Duration {
    let age =
        stamp.and_then(|stamp| u64::try_from(now.wall.nanos().saturating_sub(stamp)).ok()).map(Duration::from_nanos);
    now.monotonic.saturating_sub(age.filter(|age| *age <= OLDEST).unwrap_or_default())
}

/// To which packet an arrival belongs, who sent it, and what it says.
fn understand(channel: &Channel, received: &Received<'_>, book: &mut Book) -> Option<(Found, IpAddr, Reply)> {
    let from = received.from?;
    if let Some(offender) = received.offender {
        return understand_error(channel, received, offender, book);
    }
    let bytes = if channel.has_ip_header { behind_ip_header(received.bytes)? } else { received.bytes };
    match channel.key.road {
        Road::Tcp => {
            let found = book.by_segment(from, packet::answer(bytes)?)?;
            Some((found, from, Reply::Target))
        }
        // What the target sends as data names no packet.
        Road::Udp(_) => None,
        Road::Echo(_) | Road::Errors => {
            // The kernel has checked the checksum of IPv6, and of datagram sockets; raw ones of IPv4 come as they are.
            if channel.has_ip_header && received.is_whole && Sum::new().octets(bytes).finish() != 0 {
                return None;
            }
            match if channel.key.v6 { icmp::decode_v6(bytes) } else { icmp::decode_v4(bytes) }? {
                Message::EchoReply(echo) => Some((book.by_token(echo.data, from)?, from, Reply::Target)),
                Message::EchoRequest(_) => None,
                Message::Error(error) => {
                    Some((book.by_quote(&error.quote)?, from, Reply::Error(error.cause, error.labels)))
                }
            }
        }
    }
}

/// Reads what came through an error queue: the octets are those that were sent, from the data of UDP or the header of ICMP on.
fn understand_error(
    channel: &Channel,
    received: &Received<'_>,
    offender: Offender,
    book: &mut Book,
) -> Option<(Found, IpAddr, Reply)> {
    let (to, from) = (received.from?, offender.from?);
    let cause = if channel.key.v6 {
        Cause::of_v6(offender.kind, offender.code, offender.info)?
    } else {
        Cause::of_v4(offender.kind, offender.code, u16::try_from(offender.info).unwrap_or(u16::MAX))?
    };
    let data =
        if matches!(channel.key.road, Road::Echo(_)) { received.bytes.get(icmp::HEADER..)? } else { received.bytes };
    let labels = match offender.extensions {
        0 => Vec::new(),
        start => icmp::extensions(received.bytes.get(start..).unwrap_or_default(), false),
    };
    Some((book.by_token(data, to)?, from, Reply::Error(cause, labels)))
}

/// Where a packet of IPv4 was sent to (RFC 791, 3.1).
fn destination(channel: &Channel, packet: &[u8]) -> Option<IpAddr> {
    let octets = packet.get(16..)?.first_chunk::<4>().filter(|_| channel.has_ip_header)?;
    Some(IpAddr::from(*octets))
}

/// What follows the IP header of a packet (RFC 791).
fn behind_ip_header(packet: &[u8]) -> Option<&[u8]> {
    let first = packet.first()?;
    packet.get(usize::from(first & 0x0f) * 4..)
}
