//! Packets of probes, from their transport header on: each holds its token, and its flow key stays the same.
//!
//! What is constant and what varies ("Paris traceroute"): of ICMP identifier and checksum are constant, the sequence number varies; of UDP
//! the ports are constant, the checksum varies; of TCP the ports are constant, the sequence number varies. The varying field is among the
//! first 8 octets, which every router quotes.

use std::net::IpAddr;

use netwatch_wire::icmp::{self, Sum};

use super::token::{self, balance};

/// Octets of a UDP header.
pub(super) const UDP_HEADER: usize = 8;
/// Octets of the TCP header that is sent, with one option.
const TCP_HEADER: u16 = 24;
/// A maximum segment size of 1440 octets, as hosts say on Ethernet: a SYN without it looks odd to firewalls.
const MSS_OPTION: [u8; 4] = [2, 4, 0x05, 0xa0];
/// The window that is offered.
const WINDOW: u16 = 64_240;

/// The two ends of a flow.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Ends {
    /// Address and port of this host.
    pub(super) source: (IpAddr, u16),
    /// Address and port of the target.
    pub(super) target: (IpAddr, u16),
}

/// An echo request of which the kernel or this function computes the checksum. `octets` is the length of the data.
pub(super) fn echo(
    v6: bool,
    identifier: u16,
    sequence: u16,
    token: &[u8; token::LENGTH],
    octets: usize,
    out: &mut Vec<u8>,
) {
    let start = out.len();
    // What follows the token is zeros, which change no checksum.
    icmp::write_echo(v6, false, icmp::Echo { identifier, sequence, data: token }, out);
    out.resize(start + icmp::HEADER + octets.max(token::LENGTH), 0);
}

/// The same with a constant checksum, of IPv6 up to the constant that the addresses add.
pub(super) fn echo_of_flow(
    v6: bool,
    identifier: u16,
    checksum: u16,
    sequence: u16,
    mut token: [u8; token::LENGTH],
    octets: usize,
    out: &mut Vec<u8>,
) {
    let kind: u16 = if v6 { 128 << 8 } else { 8 << 8 };
    balance(&mut token, Sum::new().word(kind).word(identifier).word(sequence), checksum);
    echo(v6, identifier, sequence, &token, octets, out);
}

/// The data of a UDP datagram whose checksum will be `checksum`. `octets` is the length of the data.
pub(super) fn datagram(ends: Ends, checksum: u16, mut token: [u8; token::LENGTH], octets: usize, out: &mut Vec<u8>) {
    let octets = octets.max(token::LENGTH);
    let length = u16::try_from(UDP_HEADER + octets).unwrap_or(u16::MAX);
    let header = Sum::new()
        .pseudo_header(ends.source.0, ends.target.0, 17, length)
        .word(ends.source.1)
        .word(ends.target.1)
        .word(length);
    balance(&mut token, header, checksum);
    let start = out.len();
    out.extend_from_slice(&token);
    out.resize(start + octets, 0);
}

/// A SYN segment with its checksum (RFC 9293, 3.1).
pub(super) fn syn(ends: Ends, sequence: u32, out: &mut Vec<u8>) {
    let mut header = [0; TCP_HEADER as usize];
    let [a, b] = ends.source.1.to_be_bytes();
    let [c, d] = ends.target.1.to_be_bytes();
    let [e, f, g, h] = sequence.to_be_bytes();
    let [window_high, window_low] = WINDOW.to_be_bytes();
    let [i, j, k, l] = MSS_OPTION;
    // Data offset 6 words, flag SYN.
    header.copy_from_slice(&[
        a,
        b,
        c,
        d,
        e,
        f,
        g,
        h,
        0,
        0,
        0,
        0,
        6 << 4,
        2,
        window_high,
        window_low,
        0,
        0,
        0,
        0,
        i,
        j,
        k,
        l,
    ]);
    let sum = Sum::new().pseudo_header(ends.source.0, ends.target.0, 6, TCP_HEADER).octets(&header).finish();
    let [.., high, low, _, _, _, _, _, _] = &mut header;
    [*high, *low] = sum.to_be_bytes();
    out.extend_from_slice(&header);
}

/// What a segment says in answer to a SYN.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Segment {
    /// Its source port.
    pub(super) source: u16,
    /// The sequence number that it acknowledges.
    pub(super) acknowledges: u32,
}

/// Reads a segment that answers a SYN: SYN with ACK, or RST with ACK.
pub(super) fn answer(segment: &[u8]) -> Option<Segment> {
    let (header, _) = segment.split_first_chunk::<20>()?;
    let [a, b, _, _, _, _, _, _, e, f, g, h, _, flags, ..] = *header;
    let is_answer = flags & 0x10 != 0 && flags & 0x06 != 0;
    let acknowledged = u32::from_be_bytes([e, f, g, h]).wrapping_sub(1);
    is_answer.then_some(Segment { source: u16::from_be_bytes([a, b]), acknowledges: acknowledged })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn ends() -> Ends {
        Ends { source: ([192, 0, 2, 1].into(), 27_008), target: ([198, 51, 100, 7].into(), 33_434) }
    }

    proptest! {
        #[test]
        fn packets_of_a_flow_of_icmp_have_one_checksum(sequence: u16, token: [u8; token::LENGTH], octets in 0_usize..200) {
            let mut out = Vec::new();
            echo_of_flow(false, 0x4e11, 0x4e11, sequence, token, octets, &mut out);
            prop_assert_eq!(&out[2..4], &[0x4e, 0x11]);
            prop_assert_eq!(out.len(), 8 + octets.max(token::LENGTH));
            prop_assert_eq!(Sum::new().octets(&out).finish(), 0);
        }

        #[test]
        fn a_datagram_gets_the_checksum_that_was_asked_for(checksum in 1_u16.., token: [u8; token::LENGTH], octets in 0_usize..200) {
            let mut data = Vec::new();
            datagram(ends(), checksum, token, octets, &mut data);
            let length = u16::try_from(8 + data.len()).unwrap();
            let sum = Sum::new().pseudo_header(ends().source.0, ends().target.0, 17, length).word(27_008).word(33_434).word(length);
            prop_assert_eq!(sum.octets(&data).finish(), checksum);
        }

        #[test]
        fn a_segment_is_right_and_whatever_answers_is_read(sequence: u32, bytes in proptest::collection::vec(any::<u8>(), 0..60)) {
            let mut out = Vec::new();
            syn(ends(), sequence, &mut out);
            prop_assert_eq!(Sum::new().pseudo_header(ends().source.0, ends().target.0, 6, 24).octets(&out).finish(), 0);
            prop_assert_eq!(answer(&out), None, "a SYN is no answer");
            let _ = answer(&bytes);
        }
    }
}
