//! UDP: a datagram, and the answer that a service gives to it.
//!
//! Each try has a socket of its own, so that an answer belongs to the datagram that asked for it. An answer without the expected text does
//! not count, and a later one of the same try may. A closed port says so by ICMP and is a failure of its own (RFC 1122, 4.1.3.3).

use std::net::{IpAddr, SocketAddr};

use netwatch_model::probe::kind::udp::{EXPECT, SEND, SEND_HEX, Udp};
use netwatch_model::probe::{Delays, Detail, Failure, FailureReason, ProbeSpec, Wilson};

use crate::connect::{self, Deadline, Laps};
use crate::run::Ran;
use crate::socket::failure_of;
use crate::tools::Tools;

#[cfg(test)]
mod tests;

/// The longest answer that is looked at, octets.
const MAX_ANSWER: usize = 65_535;

/// An answer: seconds, and where the datagram left.
type Answered = Result<(f64, Option<IpAddr>), Failure>;

pub(crate) async fn run(spec: &ProbeSpec, tools: &Tools) -> Ran {
    let payload = match payload(spec.options.text(&SEND), spec.options.text(&SEND_HEX)) {
        Ok(payload) => payload,
        Err(failure) => return failure.into(),
    };
    let target = match connect::locate(spec, None, tools).await {
        Ok(target) => target,
        Err(failure) => return failure.into(),
    };
    let payload = payload.as_slice();
    let tries = connect::paced(spec, |_| ask(target.address, payload, spec)).await;
    let (source, detail, failure) = conclude(target.lookup, &tries);
    let detail = Some(Detail::Udp(Box::new(detail)));
    Ran { address: Some(target.address.ip()), source, detail, failure, ..Ran::default() }
}

async fn ask(address: SocketAddr, payload: &[u8], spec: &ProbeSpec) -> Answered {
    let deadline = Deadline::of(spec);
    let (socket, source) = connect::udp(address, spec)?;
    let what = format!("the answer of {address}");
    let failed = |error| failure_of(&error, &what);
    let mut laps = Laps::start();
    socket.send(payload).await.map_err(failed)?;
    let expected = spec.options.text(&EXPECT).as_bytes();
    let mut room = vec![0_u8; MAX_ANSWER];
    let mut seconds = 0.0;
    let mut other = false;
    loop {
        let got = match deadline.within(&what, socket.recv(&mut room)).await {
            Ok(got) => got.map_err(failed)?,
            Err(_) if other => {
                return Err(Failure::new(FailureReason::Unexpected, &format!("{what} has not the expected text")));
            }
            Err(late) => return Err(late),
        };
        seconds += laps.lap();
        if contains(room.get(..got).unwrap_or_default(), expected) {
            return Ok((seconds, source));
        }
        other = true;
    }
}

fn conclude(lookup: Option<f64>, tries: &[Answered]) -> (Option<IpAddr>, Udp, Option<Failure>) {
    let times: Vec<f64> = tries.iter().flatten().map(|(seconds, _)| *seconds).collect();
    let source = tries.iter().flatten().find_map(|(_, source)| *source);
    let count = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
    let (sent, received) = (count(tries.len()), count(times.len()));
    let loss_interval = Wilson::of(sent.saturating_sub(received), sent);
    let failure = if times.is_empty() { tries.iter().rev().find_map(|t| t.as_ref().err()).cloned() } else { None };
    (source, Udp { lookup, sent, received, loss_interval, rtt: Delays::of(&times) }, failure)
}

/// What is sent: the hexadecimal form when there is one, else the text.
fn payload(text: &str, hex: &str) -> Result<Vec<u8>, Failure> {
    if hex.is_empty() {
        return Ok(text.as_bytes().to_vec());
    }
    let digits: Vec<u32> =
        hex.chars().filter(|c| !c.is_whitespace() && *c != ':').map(|c| c.to_digit(16).unwrap_or(16)).collect();
    if digits.iter().any(|digit| *digit > 15) || !digits.len().is_multiple_of(2) {
        return Err(Failure::new(FailureReason::Agent, "the option `send_hex` must be pairs of hexadecimal digits"));
    }
    Ok(digits.chunks_exact(2).map(|pair| pair.iter().fold(0, |octet, digit| octet << 4 | *digit as u8)).collect())
}

/// Whether `text` stands somewhere in `octets`; nothing stands everywhere.
fn contains(octets: &[u8], text: &[u8]) -> bool {
    memchr::memmem::find(octets, text).is_some()
}
