//! Neither TCP nor UDP.

use super::Capture;
use super::tape::{Tape, ms, request};
use crate::frames::{self, ethernet, icmp_echo, ipv4, ipv6};

/// Two programs ping the same host at the same time.
pub fn icmp_echo_two_ids() -> Capture {
    let ask = |id, n| ethernet(ipv4("10.0.0.1", "10.0.0.2").carry(icmp_echo(false, id, n, &[0; 56]))).build();
    let answer = |id, n| ethernet(ipv4("10.0.0.2", "10.0.0.1").carry(icmp_echo(true, id, n, &[0; 56]))).build();
    let frames = (1..=3).flat_map(|n| [ask(1, n), ask(2, n), answer(1, n), answer(2, n)]);
    Tape::new().put_all(ms(0), ms(10), frames).into()
}

/// A UDP packet to a closed port, and the message that says so.
pub fn icmp_unreachable() -> Capture {
    let packet = request(40_000, 9000, 100);
    let message = ipv4("10.0.0.2", "10.0.0.1").carry(frames::icmp_unreachable(&packet));
    Tape::new().put_all(ms(0), ms(1), [ethernet(packet).build(), ethernet(message).build()]).into()
}

/// Two echo requests over IPv6 and their replies.
pub fn icmpv6_echo() -> Capture {
    let ask = |n| ethernet(ipv6("fd00::1", "fd00::2").carry(frames::icmpv6_echo(false, 77, n, &[0; 56]))).build();
    let answer = |n| ethernet(ipv6("fd00::2", "fd00::1").carry(frames::icmpv6_echo(true, 77, n, &[0; 56]))).build();
    Tape::new().put_all(ms(0), ms(1), (1..=2).flat_map(|n| [ask(n), answer(n)])).into()
}

/// The beginning of an SCTP association: INIT, INIT ACK with a cookie, COOKIE ECHO.
pub fn sctp() -> Capture {
    let there =
        |chunk, value: &[u8]| ethernet(ipv4("10.0.0.1", "10.0.0.2").carry(frames::sctp(40_000, 3868, chunk, value)));
    let back =
        |chunk, value: &[u8]| ethernet(ipv4("10.0.0.2", "10.0.0.1").carry(frames::sctp(3868, 40_000, chunk, value)));
    let frames =
        [there(1, &[0; 16]), back(2, &[[0; 16].as_slice(), &[0, 7, 0, 8, 1, 2, 3, 4]].concat()), there(10, &[0; 8])];
    Tape::new().put_all(ms(0), ms(1), frames.map(frames::Ethernet::build)).into()
}

/// A question and an answer below IP.
pub fn arp_only() -> Capture {
    let frames = [frames::arp(1, "10.0.0.1", "10.0.0.2"), frames::arp(2, "10.0.0.2", "10.0.0.1")];
    Tape::new().put_all(ms(0), ms(1), frames).into()
}

/// What a switch says about itself.
pub fn lldp() -> Capture {
    Tape::new().put(ms(0), frames::lldp()).into()
}
