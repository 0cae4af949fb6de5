//! UDP: who began, and where one record ends and the next begins.

use std::net::Ipv4Addr;
use std::time::Duration;

use super::Capture;
use super::tape::{CLIENT, SERVER, Tape, ms, request, secs};
use crate::frames::{dns_answer, ethernet, ipv4, udp};
use crate::pcap::Format;

/// An answer whose question was missed: the side with the port below 1024 is the responder.
pub fn udp_response_first() -> Capture {
    let answer = dns_answer(1, "www.example.com", Ipv4Addr::new(192, 0, 2, 80), 300);
    let packet = ipv4(SERVER, CLIENT).carry(udp(53, 40_000, &answer));
    Tape::new().put(ms(0), ethernet(packet).build()).into()
}

/// Three packets, 100 seconds of silence, three packets.
pub fn udp_idle_split() -> Capture {
    let frames = || (0..3).map(|_| packet());
    Tape::new().put_all(secs(0), secs(1), frames()).put_all(secs(102), secs(1), frames()).into()
}

/// Silence of exactly the timeout joins, one nanosecond more splits.
pub fn udp_idle_boundary() -> Capture {
    let tape = [secs(0), secs(60), secs(120) + Duration::from_nanos(1)]
        .into_iter()
        .fold(Tape::new(), |tape, at| tape.put(at, packet()));
    Capture::from(tape).format(Format::PcapNanos)
}

/// A packet each 21 seconds for longer than the active timeout of 1800 seconds.
pub fn udp_active_split() -> Capture {
    Tape::new().put_all(secs(0), secs(21), (0..100).map(|_| packet())).into()
}

/// 78 octets in IP, 92 in the frame.
fn packet() -> Vec<u8> {
    ethernet(request(40_000, 9000, 50)).build()
}
