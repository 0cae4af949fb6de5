//! The 99 packets of which every octet is known, against which other flow meters were measured.

use super::Capture;
use super::tape::{Talk, Tape, ms, request, response, secs};
use crate::frames::{ethernet, flags, icmpv6_echo, ipv4, ipv6, udp};
use crate::pcap::Format;

const SNAPLEN: usize = 96;

/// 99 packets, 19 334 octets in layer 2.
pub fn truth() -> Capture {
    let tape = [two_way, padded, tagged, fragmented, closed_and_reused, refused, split_by_idle, long, echo]
        .into_iter()
        .fold(Tape::new(), |tape, flow| flow(tape));
    tape.into()
}

/// The same capture, of which 96 octets of each packet were kept: nothing that is counted may change.
pub fn snaplen_96() -> Capture {
    let capture = truth();
    Capture { packets: capture.packets.iter().map(|packet| packet.cut(SNAPLEN)).collect(), ..capture }
}

/// The same capture in the other file format.
pub fn pcapng() -> Capture {
    truth().format(Format::PcapNg)
}

fn two_way(tape: Tape) -> Tape {
    let there = (0..10).map(|_| ethernet(request(20_001, 1111, 100)).build());
    let back = (0..5).map(|_| ethernet(response(20_001, 1111, 200)).build());
    tape.put_all(ms(0), ms(10), there).put_all(ms(5), ms(20), back)
}

fn padded(tape: Tape) -> Tape {
    tape.put_all(secs(1), ms(10), (0..4).map(|_| ethernet(request(20_002, 1112, 1)).pad().build()))
}

fn tagged(tape: Tape) -> Tape {
    let vlan = (0..6).map(|_| ethernet(request(20_003, 1113, 300)).vlan(0x8100, 100).build());
    let stacked = (0..3).map(|_| ethernet(request(20_004, 1114, 300)).vlan(0x88a8, 200).vlan(0x8100, 300).build());
    tape.put_all(secs(2), ms(10), vlan).put_all(secs(3), ms(10), stacked)
}

fn fragmented(tape: Tape) -> Tape {
    let datagram = |id| ipv4("10.0.0.1", "10.0.0.2").id(id).fragments(udp(20_005, 1115, &[0xaa; 3000]), 1480);
    let frames = [datagram(1), datagram(2)].concat().into_iter().map(|packet| ethernet(packet).build());
    tape.put_all(secs(4), ms(1), frames)
}

fn closed_and_reused(tape: Tape) -> Tape {
    let mut first = Talk::new(20_006, 1116);
    let open = first.open();
    let data = [(); 3].map(|()| first.client(flags::ACK | flags::PSH, 500));
    let close = first.close();
    let mut second = Talk::new(20_006, 1116).with_sequence(900_000, 700_000);
    let again = second.open();
    let reset = second.client(flags::RST | flags::ACK, 0);
    tape.put_all(secs(5), ms(1), open.into_iter().chain(data).chain(close)).put_all(
        secs(6),
        ms(1),
        again.into_iter().chain([reset]),
    )
}

fn refused(tape: Tape) -> Tape {
    let mut talk = Talk::new(20_007, 1117);
    let frames = [talk.client(flags::SYN, 0), talk.server(flags::RST | flags::ACK, 0)];
    tape.put_all(secs(7), ms(1), frames)
}

fn split_by_idle(tape: Tape) -> Tape {
    let frames = || (0..3).map(|_| ethernet(request(20_008, 1118, 50)).build());
    tape.put_all(secs(8), secs(1), frames()).put_all(secs(110), secs(1), frames())
}

fn long(tape: Tape) -> Tape {
    tape.put_all(secs(20), secs(20), (0..36).map(|_| ethernet(request(20_009, 1119, 50)).build()))
}

fn echo(tape: Tape) -> Tape {
    let ask = (0..4).map(|n| ethernet(ipv6("fd00::1", "fd00::2").carry(icmpv6_echo(false, 77, n, &[0; 56]))).build());
    let answer = (0..4).map(|n| ethernet(ipv6("fd00::2", "fd00::1").carry(icmpv6_echo(true, 77, n, &[0; 56]))).build());
    tape.put_all(secs(15), secs(1), ask).put_all(ms(15_001), secs(1), answer)
}
