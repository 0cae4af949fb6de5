//! Packets in packets: the outer and the inner conversation are two records that are never added together.

use super::Capture;
use super::tape::{Tape, ms, request, response};
use crate::frames::{self, Transport, ethernet, in_ip, ipv4, ipv6, udp};

const NEAR: &str = "10.1.0.1";
const FAR: &str = "10.1.0.2";

/// IPv4 in GRE.
pub fn gre() -> Capture {
    tunnel(|packet| frames::gre(0x0800, None, packet))
}

/// The same with a key.
pub fn gre_key() -> Capture {
    tunnel(|packet| frames::gre(0x0800, Some(42), packet))
}

/// IPv4 in IPv4.
pub fn ipip() -> Capture {
    tunnel(in_ip)
}

/// Ethernet in VXLAN; each direction of the outer packets has a source port of its own.
pub fn vxlan() -> Capture {
    let carry = |port, packet: Vec<u8>| udp(port, 4789, &frames::vxlan(42, &ethernet(packet).build()));
    let there = || outer(NEAR, FAR, carry(50_001, request(40_000, 9000, 100)));
    let back = outer(FAR, NEAR, carry(50_002, response(40_000, 9000, 100)));
    Tape::new().put_all(ms(0), ms(1), [there(), back, there()]).into()
}

/// IPv6 in IPv4.
pub fn six_in_four() -> Capture {
    let there = || in_ip(&ipv6("fd00::1", "fd00::2").carry(udp(40_000, 9000, &[0; 100])));
    let back = in_ip(&ipv6("fd00::2", "fd00::1").carry(udp(9000, 40_000, &[0; 100])));
    let frames = [outer(NEAR, FAR, there()), outer(FAR, NEAR, back), outer(NEAR, FAR, there())];
    Tape::new().put_all(ms(0), ms(1), frames).into()
}

/// Two packets of 128 octets and one answer, carried by `carry`.
fn tunnel(carry: fn(&[u8]) -> Transport) -> Capture {
    let there = || outer(NEAR, FAR, carry(&request(40_000, 9000, 100)));
    let back = outer(FAR, NEAR, carry(&response(40_000, 9000, 100)));
    Tape::new().put_all(ms(0), ms(1), [there(), back, there()]).into()
}

fn outer(source: &str, destination: &str, transport: Transport) -> Vec<u8> {
    ethernet(ipv4(source, destination).carry(transport)).build()
}
