//! The builders against an independent parser.

use etherparse::{NetSlice, SlicedPacket, TransportSlice};

use super::*;

fn parse(frame: &[u8]) -> SlicedPacket<'_> {
    SlicedPacket::from_ethernet(frame).expect("a frame that parses")
}

#[test]
fn udp_over_ipv4_has_right_checksums() {
    let frame = ethernet(ipv4("10.0.0.1", "10.0.0.2").options(&[1, 1, 1, 1]).carry(udp(1, 2, b"abc")))
        .vlan(0x8100, 100)
        .build();
    let packet = parse(&frame);
    let (Some(NetSlice::Ipv4(ip)), Some(TransportSlice::Udp(udp))) = (packet.net, packet.transport) else {
        panic!("expected UDP over IPv4");
    };
    let header = ip.header().to_header();
    assert_eq!(header.calc_header_checksum(), header.header_checksum);
    assert_eq!(usize::from(header.total_len), 24 + 8 + 3);
    assert_eq!(udp.to_header().calc_checksum_ipv4(&header, udp.payload()).unwrap(), udp.checksum());
    assert_eq!(packet.link_exts.len(), 1);
}

#[test]
fn tcp_over_ipv6_with_extensions_has_a_right_checksum() {
    let segment = tcp(1, 2, flags::SYN).seq(3).ack(4).window(5).payload(b"xyz").build();
    let chain =
        ipv6("fd00::1", "fd00::2").hop_by_hop().routing().destination_options().atomic_fragment().authentication();
    let frame = ethernet(chain.carry(segment)).build();
    let packet = parse(&frame);
    let (Some(NetSlice::Ipv6(ip)), Some(TransportSlice::Tcp(tcp))) = (packet.net, packet.transport) else {
        panic!("expected TCP over IPv6");
    };
    let header = ip.header().to_header();
    assert_eq!(usize::from(header.payload_length), 8 + 8 + 8 + 8 + 24 + 20 + 3);
    assert_eq!(tcp.to_header().calc_checksum_ipv6(&header, tcp.payload()).unwrap(), tcp.checksum());
    assert_eq!((tcp.sequence_number(), tcp.window_size(), tcp.syn()), (3, 5, true));
}

#[test]
fn fragments_join_to_the_datagram() {
    let packets = ipv4("10.0.0.1", "10.0.0.2").id(7).fragments(udp(1, 2, &[9; 3000]), 1480);
    let lengths: Vec<usize> = packets.iter().map(Vec::len).collect();
    assert_eq!(lengths, [1500, 1500, 68]);
    let offsets: Vec<[u8; 2]> = packets.iter().map(|packet| [packet[6], packet[7]]).collect();
    assert_eq!(offsets, [[0x20, 0], [0x20, 185], [1, 114]]);
}

#[test]
fn crc32c_of_the_standard_example() {
    let packet = ipv4("10.0.0.1", "10.0.0.2").carry(sctp(1, 2, 1, &[0; 16]));
    assert_eq!(packet.len(), 20 + 12 + 4 + 16);
    assert_ne!(packet[28..32], [0; 4]);
}

#[test]
fn short_frames_are_padded_and_long_ones_are_not() {
    let packet = ipv4("10.0.0.1", "10.0.0.2").carry(udp(1, 2, b""));
    assert_eq!(ethernet(packet.clone()).build().len(), 42);
    assert_eq!(ethernet(packet).pad().build().len(), 60);
    assert_eq!(lldp().len(), 60);
    assert_eq!(arp(1, "10.0.0.1", "10.0.0.2").len(), 42);
}
