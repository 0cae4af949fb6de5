//! NTP: what a time server says of its clock, and how far ours is from it (RFC 5905).
//!
//! Each try has a socket and a port of its own (RFC 9109) and a random transmit stamp that the answer must carry back, so that nobody off
//! the path can answer. Offset and delay come from four stamps. Of several tries the one with the shortest delay has the best offset: its
//! error is at most half of that delay.
//!
//! When an answer came the kernel says, so that a busy agent makes no delay longer.
//!
//! Limits: when a question leaves is taken in user space, just before it is given to the kernel.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use netwatch_model::Timestamp;
use netwatch_model::probe::kind::ntp::{MAX_OFFSET, MAX_STRATUM, Ntp, NtpClock};
use netwatch_model::probe::{Delays, Detail, Failure, FailureReason, ProbeSpec};
use netwatch_telemetry::clock;
use socket2::SockRef;
use tokio::io::Interest;

use crate::connect::{self, Deadline};
use crate::run::Ran;
use crate::simulation::os;
use crate::socket::failure_of;
use crate::tools::Tools;

mod packet;

#[cfg(test)]
mod tests;

use packet::{Answer, PacketError, Stamp};

/// The longest packet that is looked at: header, extension fields and a digest.
const MAX_PACKET: usize = 1024;

/// The oldest stamp that is believed.
const OLDEST: Duration = Duration::from_secs(1);

/// What one try gave.
#[derive(Clone, Debug)]
struct Reading {
    /// How far the server's clock is ahead, seconds.
    offset: f64,
    /// The round trip less the time in the server, seconds.
    delay: f64,
    answer: Answer,
    source: Option<IpAddr>,
}

pub(crate) async fn run(spec: &ProbeSpec, tools: &Tools) -> Ran {
    let target = match connect::locate(spec, None, tools).await {
        Ok(target) => target,
        Err(failure) => return failure.into(),
    };
    let tries = connect::paced(spec, |_| ask(target.address, spec)).await;
    let best = tries.iter().flatten().min_by(|a, b| a.delay.total_cmp(&b.delay));
    let failure = match best {
        None => tries.iter().rev().find_map(|t| t.as_ref().err()).cloned(),
        Some(best) => judge(best, spec).err(),
    };
    let delays: Vec<f64> = tries.iter().flatten().map(|reading| reading.delay).collect();
    let count = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
    let detail = Ntp {
        lookup: target.lookup,
        sent: count(tries.len()),
        received: count(delays.len()),
        rtt: Delays::of(&delays),
        clock: best.map(clock_of),
    };
    let source = best.and_then(|reading| reading.source);
    let detail = Some(Detail::Ntp(Box::new(detail)));
    Ran { address: Some(target.address.ip()), source, detail, failure, ..Ran::default() }
}

async fn ask(address: SocketAddr, spec: &ProbeSpec) -> Result<Reading, Failure> {
    let deadline = Deadline::of(spec);
    let (socket, source) = connect::udp(address, spec)?;
    let what = format!("the answer of {address}");
    let failed = |error| failure_of(&error, &what);
    os::ask(&SockRef::from(&socket), address.is_ipv6()).map_err(failed)?;
    let cookie = packet::cookie().map_err(failed)?;
    let request = packet::request(cookie);
    let sent_at = clock::now();
    let sent = clock::monotonic();
    socket.send(&request).await.map_err(failed)?;
    let mut room = [0_u8; MAX_PACKET];
    let mut useless = None;
    loop {
        let receiving = socket.async_io(Interest::READABLE, || os::receive(&SockRef::from(&socket), &mut room));
        let got = match deadline.within(&what, receiving).await {
            Ok(got) => got.map_err(failed)?,
            Err(late) => return Err(useless.unwrap_or(late)),
        };
        let took = clock::monotonic().saturating_sub(sent).saturating_sub(age(got.stamp, clock::now()));
        match packet::read(room.get(..got.length).unwrap_or_default(), cookie) {
            Ok(answer) => return Ok(reading(answer, Stamp::of(sent_at), took, source)),
            Err(error) => {
                let failure = Failure::new(error.reason(), &format!("{what} cannot be used: {error}"));
                if !matches!(error, PacketError::NotOurs | PacketError::Malformed) {
                    return Err(failure);
                }
                // Somebody guesses, or it is late (RFC 5905, 8): ours may still come.
                useless = Some(failure);
            }
        }
    }
}

/// How long ago the kernel received a datagram. A stamp that is not of the last second is not believed: the clock was set.
fn age(stamp: Option<Timestamp>, now: Timestamp) -> Duration {
    stamp.map(|stamp| now.since(stamp)).filter(|age| *age <= OLDEST).unwrap_or_default()
}

/// Offset and delay of one exchange (RFC 5905, 8): θ = ((T2 − T1) + (T3 − T4)) / 2, δ = (T4 − T1) − (T3 − T2).
///
/// T4 is T1 and the monotonic time that passed, so that a step of our clock on the way is no delay.
fn reading(answer: Answer, sent: Stamp, took: Duration, source: Option<IpAddr>) -> Reading {
    let took = took.as_secs_f64();
    let in_server = answer.transmit.since(answer.receive);
    let there = answer.receive.since(sent);
    let delay = (took - in_server).max(0.0);
    Reading { offset: there - (took - in_server) / 2.0, delay, answer, source }
}

fn clock_of(best: &Reading) -> NtpClock {
    NtpClock {
        offset: best.offset,
        error: best.delay / 2.0,
        stratum: best.answer.stratum,
        leap: best.answer.leap,
        reference: best.answer.reference.clone(),
        root_delay: best.answer.root_delay,
        root_dispersion: best.answer.root_dispersion,
        version: best.answer.version,
    }
}

fn judge(best: &Reading, spec: &ProbeSpec) -> Result<(), Failure> {
    let unexpected = |message: String| Err(Failure::new(FailureReason::Unexpected, &message));
    let (target, answer) = (&spec.target, &best.answer);
    if answer.leap == packet::LEAP_UNKNOWN || answer.stratum >= packet::UNSYNCHRONISED {
        return unexpected(format!("the clock of {target} is not synchronised"));
    }
    let most = spec.options.whole(&MAX_STRATUM);
    if i64::from(answer.stratum) > most {
        return unexpected(format!("{target} is of stratum {}, which is more than {most}", answer.stratum));
    }
    let most = spec.options.seconds(&MAX_OFFSET);
    if most > 0.0 && best.offset.abs() > most {
        return unexpected(format!(
            "the clock of {target} is {:+.6} s from ours, which is more than {most} s",
            best.offset
        ));
    }
    Ok(())
}
