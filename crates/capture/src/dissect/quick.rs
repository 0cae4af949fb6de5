//! The frames that nearly all are: Ethernet, IPv4 without options, TCP or UDP, whole, not tagged, not a super-frame.
//!
//! What it takes, it takes exactly as [`dissect`](super::dissect) does, which a property test holds it to; everything else it leaves to
//! that. One look at fifty octets decides, and the packet is made in registers: a worker spends most of its time here.

use netwatch_model::Protocol;

use super::context::ContextId;
use super::tunnel::VXLAN_PORTS;
use super::{Addresses, Amount, Packet, Segment};
use crate::frame::{Frame, LinkType};

/// Ethernet, IPv4 without options, and what is read of TCP (RFC 9293).
const HEADERS: usize = ETHERNET + IP + 16;
const ETHERNET: usize = 14;
const IP: usize = 20;

/// The packet, when the frame is of this kind.
#[inline(always)]
pub fn packet(frame: &Frame<'_>) -> Option<Packet> {
    if frame.link != LinkType::Ethernet || frame.tag.is_some() || frame.segment_size != 0 {
        return None;
    }
    let h: &[u8; HEADERS] = frame.data.first_chunk()?;
    let half = |at: usize| u16::from_be_bytes([h[at], h[at + 1]]);
    let word = |at: usize| u32::from_be_bytes([h[at], h[at + 1], h[at + 2], h[at + 3]]);
    // EtherType, version and header length; neither more fragments nor an offset (RFC 791).
    if half(12) != 0x0800 || h[14] != 0x45 || half(20) & 0x3fff != 0 {
        return None;
    }
    let protocol = Protocol(h[23]);
    let is_tcp = protocol == Protocol::TCP;
    let destination_port = half(36);
    if !is_tcp && (protocol != Protocol::UDP || VXLAN_PORTS.contains(&destination_port)) {
        return None;
    }
    let wire = frame.wire_length.checked_sub(ETHERNET as u32)?;
    let stated = u32::from(half(16));
    let octets = if stated == 0 { wire } else { stated.min(wire) };
    let left = octets.checked_sub(IP as u32)?;
    let header = if is_tcp { (u32::from(h[46] >> 4) * 4).max(20) } else { 8 }.min(left);
    let segment = Segment { seq: word(38), ack: word(42), window: half(48), flags: h[47], complete: true };
    let payload_at = ETHERNET + IP + header as usize;
    Some(Packet {
        time: frame.time.nanos(),
        addresses: Addresses::V4(word(26), word(30)),
        source_port: half(34),
        destination_port,
        context: ContextId(u16::from(frame.interface.0)),
        protocol,
        direction: frame.direction,
        interface: frame.interface,
        counted: false,
        icmp: 0,
        segment: if is_tcp { segment } else { Segment::default() },
        amount: Amount { packets: 1, octets, l2_octets: frame.wire_length },
        payload_length: left - header,
        payload_at: if payload_at < frame.data.len() { payload_at as u16 } else { 0 },
    })
}

#[cfg(test)]
mod tests {
    use netwatch_model::{Direction, Timestamp};
    use netwatch_testkit::corpus::corpus;
    use netwatch_testkit::frames::{Transport, ethernet, ipv4, tcp, udp};
    use proptest::prelude::*;

    use super::*;
    use crate::dissect::context::Contexts;
    use crate::dissect::{Dissected, dissect};
    use crate::frame::InterfaceIndex;

    fn frame(data: &[u8], wire_length: u32) -> Frame<'_> {
        let (time, direction, interface) = (Timestamp::from_nanos(7), Direction::Out, InterfaceIndex(3));
        Frame { time, data, wire_length, direction, interface, ..Frame::EMPTY }
    }

    /// What is taken is taken as by the long way; gives whether it was taken.
    fn check(frame: &Frame<'_>) -> Result<bool, TestCaseError> {
        let Some(quick) = packet(frame) else { return Ok(false) };
        let long = dissect(frame, &mut Contexts::default());
        let Dissected::Packet(long) = long else {
            return Err(TestCaseError::fail(format!("{quick:?} and {long:?}")));
        };
        prop_assert_eq!(quick, long);
        Ok(true)
    }

    #[test]
    fn the_common_kinds_are_taken_and_the_others_left() {
        let taken = |data: Vec<u8>| check(&frame(&data, u32::try_from(data.len()).unwrap())).unwrap();
        let to = |carried: Transport| ethernet(ipv4("10.0.0.1", "10.0.0.2").carry(carried)).build();
        assert!(taken(to(udp(5, 53, b"0123456789"))));
        assert!(taken(to(tcp(5, 80, 2).build())));
        assert!(!taken(to(udp(5, 4789, b"0123456789"))), "a tunnel may be inside");
        let mut fragment = to(udp(5, 53, b"0123456789"));
        fragment[20] = 0x20;
        assert!(!taken(fragment));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2000))]

        #[test]
        fn what_is_taken_is_taken_as_by_the_long_way(
            pick in any::<prop::sample::Index>(),
            damage in prop::collection::vec((0usize..60, any::<u8>()), 0..4),
            cut in 0usize..80,
            more in prop_oneof![Just(0u32), 0u32..3000],
            less in prop_oneof![4 => Just(0u32), 1 => 0u32..60],
        ) {
            let all: Vec<_> = corpus().into_iter().flat_map(|case| case.packets).collect();
            let packet = &all[pick.index(all.len())];
            let mut data = packet.data.clone();
            for (at, value) in damage {
                if let Some(octet) = data.get_mut(at) {
                    *octet = value;
                }
            }
            data.truncate(if cut < 40 { data.len() } else { cut });
            check(&frame(&data, (packet.wire_length + more).saturating_sub(less)))?;
        }
    }
}
