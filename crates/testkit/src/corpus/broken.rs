//! Packets that are cut, empty, or that lie about their length.

use super::Capture;
use super::tape::{START, Tape, ms, request};
use crate::frames::{ethernet, ipv4, ipv6, protocol, udp};
use crate::pcap::Packet;

/// One UDP packet of 142 octets, cut at every length from 0: it belongs to its conversation once the ports can be read.
pub fn truncated_headers() -> Capture {
    let whole = Packet::new(START, ethernet(request(40_000, 9000, 100)).build());
    let packets = (0..=whole.data.len())
        .zip(0_u64..)
        .map(|(length, index)| Packet { time: START + ms(index), ..whole.cut(length) });
    Capture { packets: packets.collect(), ..Tape::new().into() }
}

/// IPv4 packets of 20 octets and an IPv6 packet of 40, in padded frames.
pub fn zero_length_ip_payload() -> Capture {
    let v4 = || ethernet(ipv4("10.0.0.1", "10.0.0.2").carry(protocol(253, &[]))).pad().build();
    let v6 = ethernet(ipv6("fd00::1", "fd00::2").carry_nothing()).pad().build();
    Tape::new().put_all(ms(0), ms(1), [v4(), v6, v4()]).into()
}

/// A header that says 1500 octets in a frame that carries 128: the frame wins.
pub fn ip_total_length_long() -> Capture {
    let packet = ipv4("10.0.0.1", "10.0.0.2").total_length(1500).carry(udp(40_000, 9000, &[0; 100]));
    Tape::new().put(ms(0), ethernet(packet).build()).into()
}

/// A header that says fewer octets than it has itself: no IP packet; and an honest one.
pub fn ip_total_length_short() -> Capture {
    let lie = ipv4("10.0.0.1", "10.0.0.2").total_length(10).carry(udp(40_000, 9000, &[0; 100]));
    Tape::new().put_all(ms(0), ms(1), [ethernet(lie).build(), ethernet(request(40_000, 9000, 100)).build()]).into()
}
