//! Layers 2 and 3: padding, tags, options, extension headers, fragments, and the formats of files.

use std::time::Duration;

use super::Capture;
use super::tape::{Talk, Tape, ms, request, response, secs};
use crate::frames::{self, Ethernet, ethernet, flags, ipv4, ipv6, udp};
use crate::pcap::{Format, LINUX_SLL, RAW};

/// A TCP conversation with one octet of data, and a UDP packet, all padded to 60 octets: padding is no data.
pub fn padding() -> Capture {
    let mut talk = Talk::new(40_000, 8443);
    let open = talk.open();
    let data = [talk.client(flags::ACK | flags::PSH, 1), talk.server(flags::ACK, 0)];
    let close = talk.close();
    let pad = |mut frame: Vec<u8>| {
        frame.resize(frame.len().max(60), 0);
        frame
    };
    let frames = open.into_iter().chain(data).chain(close).map(pad);
    Tape::new().put_all(ms(0), ms(1), frames).put(ms(100), ethernet(request(40_001, 9000, 1)).pad().build()).into()
}

/// Two packets and an answer with the same tag; the priority bits are no part of the identifier.
pub fn vlan() -> Capture {
    two_and_one(|frame| frame.vlan(0x8100, 0x6064))
}

/// The same addresses and ports without tag and in two VLANs are three conversations.
pub fn vlan_apart() -> Capture {
    let frame = || ethernet(request(40_000, 9000, 100));
    let frames = [frame(), frame().vlan(0x8100, 10), frame().vlan(0x8100, 20), frame().vlan(0x8100, 10)];
    Tape::new().put_all(ms(0), ms(1), frames.map(Ethernet::build)).into()
}

/// A service tag (IEEE 802.1ad) around a customer tag.
pub fn qinq_88a8() -> Capture {
    two_and_one(|frame| frame.vlan(0x88a8, 200).vlan(0x8100, 300))
}

/// The same with the outer type that came before the standard.
pub fn qinq_9100() -> Capture {
    two_and_one(|frame| frame.vlan(0x9100, 200).vlan(0x8100, 300))
}

/// Three tags.
pub fn triple_tag() -> Capture {
    two_and_one(|frame| frame.vlan(0x88a8, 10).vlan(0x8100, 20).vlan(0x8100, 30))
}

/// An IPv4 header of 28 octets.
pub fn ipv4_options() -> Capture {
    let packet = ipv4("10.0.0.1", "10.0.0.2").options(&[1; 8]).carry(udp(40_000, 9000, &[0; 100]));
    Tape::new().put(ms(0), ethernet(packet).build()).into()
}

/// Hop-by-hop, routing, destination, fragment (of a whole packet) and authentication header before UDP.
pub fn ipv6_extension_chain() -> Capture {
    let there = || {
        let chain = ipv6("fd00::1", "fd00::2").hop_by_hop().routing().destination_options();
        ethernet(chain.atomic_fragment().authentication().carry(udp(40_000, 9000, &[0; 100]))).build()
    };
    let back = ethernet(ipv6("fd00::2", "fd00::1").carry(udp(9000, 40_000, &[0; 100]))).build();
    Tape::new().put_all(ms(0), ms(1), [there(), there(), back]).into()
}

/// A datagram in three fragments.
pub fn fragments_in_order() -> Capture {
    Tape::new().put_all(ms(0), ms(1), three_fragments()).into()
}

/// The same fragments, the last one first: those before the first wait for it.
pub fn fragments_reversed() -> Capture {
    Tape::new().put_all(ms(0), ms(1), three_fragments().into_iter().rev()).into()
}

/// The first fragment was never seen: the others belong to no conversation.
pub fn fragments_unknown_first() -> Capture {
    let other = ethernet(request(40_001, 9001, 100)).build();
    Tape::new().put_all(ms(0), ms(1), three_fragments().into_iter().skip(1)).put(secs(1), other).into()
}

/// A datagram in two IPv6 fragments.
pub fn ipv6_fragments() -> Capture {
    let packets = ipv6("fd00::1", "fd00::2").fragments(99, udp(40_000, 9000, &[0; 2000]), 1232);
    Tape::new().put_all(ms(0), ms(1), packets.into_iter().map(|packet| ethernet(packet).build())).into()
}

/// Times with nanoseconds.
pub fn pcap_nanoseconds() -> Capture {
    let frames = [ethernet(request(40_000, 9000, 100)).build(), ethernet(response(40_000, 9000, 100)).build()];
    let tape = Tape::new().put_all(Duration::from_nanos(123_456_789), Duration::from_nanos(1), frames);
    Capture::from(tape).format(Format::PcapNanos)
}

/// The same file from a machine with the other byte order.
pub fn pcap_big_endian() -> Capture {
    pcap_nanoseconds().format(Format::PcapBigEndian)
}

/// A capture on all interfaces at once, without Ethernet headers.
pub fn linux_sll() -> Capture {
    let there = || frames::linux_sll(true, &request(40_000, 9000, 100));
    let back = frames::linux_sll(false, &response(40_000, 9000, 100));
    Capture::from(Tape::new().put_all(ms(0), ms(1), [there(), there(), back])).link(LINUX_SLL)
}

/// Bare IP packets, as from a tun device.
pub fn raw_ip() -> Capture {
    let v6 = ipv6("fd00::1", "fd00::2").carry(udp(40_000, 9000, &[0; 100]));
    let frames = [request(40_000, 9000, 100), response(40_000, 9000, 100), v6];
    Capture::from(Tape::new().put_all(ms(0), ms(1), frames)).link(RAW)
}

/// Two packets of 128 octets and one answer, in frames that `tag` has changed.
fn two_and_one(tag: fn(Ethernet) -> Ethernet) -> Capture {
    let packets = [request(40_000, 9000, 100), response(40_000, 9000, 100), request(40_000, 9000, 100)];
    Tape::new().put_all(ms(0), ms(1), packets.map(|packet| tag(ethernet(packet)).build())).into()
}

fn three_fragments() -> Vec<Vec<u8>> {
    let packets = ipv4("10.0.0.1", "10.0.0.2").id(7).fragments(udp(40_000, 9000, &[0; 3000]), 1480);
    packets.into_iter().map(|packet| ethernet(packet).build()).collect()
}
