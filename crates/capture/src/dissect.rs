//! From a frame to the packets that count: what a flow needs to know of each, and nothing else.
//!
//! One frame gives one [`Packet`], or two when a tunnel was looked into (outer first), or none when it is not IP or is damaged. Every
//! length is taken from the wire, never from what was captured, so that the capture length changes no count. Nothing here allocates,
//! panics or loops over more than [`ip::MAX_EXTENSIONS`] headers, [`MAX_TAGS`] tags or one tunnel.
//!
//! Super-frames of segmentation offload count as the segments for which they stand: `ceil(payload / segment size)`, each with its own
//! link, IP and transport header.

pub mod context;
pub mod ip;
pub mod link;
pub mod quick;
pub mod transport;
pub mod tunnel;

#[cfg(test)]
mod tests;

use std::net::IpAddr;

use netwatch_model::{Direction, Protocol};

use crate::frame::{Frame, InterfaceIndex};
use context::{ContextId, Contexts};

/// VLAN tags and MPLS labels that are looked through.
pub const MAX_TAGS: usize = 8;

/// Why a frame gave no packet.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, PartialOrd, Ord)]
pub enum Undissected {
    /// Not IP: ARP.
    Arp,
    /// Not IP: LLDP.
    Lldp,
    /// Not IP: anything else, counted by link layer only.
    OtherLink,
    /// The link header, a tag or a label is cut.
    TruncatedLink,
    /// The IP header is cut or contradicts itself.
    BadIp,
    /// The ports are cut.
    TruncatedTransport,
}

impl Undissected {
    /// All reasons.
    pub const ALL: [Self; 6] =
        [Self::Arp, Self::Lldp, Self::OtherLink, Self::TruncatedLink, Self::BadIp, Self::TruncatedTransport];

    /// The word used in every surface.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Arp => "arp",
            Self::Lldp => "lldp",
            Self::OtherLink => "not_ip",
            Self::TruncatedLink => "truncated_link",
            Self::BadIp => "bad_ip",
            Self::TruncatedTransport => "truncated_transport",
        }
    }
}

/// The addresses of a packet, as they stand in it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Addresses {
    /// IPv4: source, destination.
    V4(u32, u32),
    /// IPv6: source, destination.
    V6(u128, u128),
}

impl Addresses {
    /// Source and destination.
    #[must_use]
    pub fn pair(self) -> (IpAddr, IpAddr) {
        match self {
            Self::V4(s, d) => (IpAddr::V4(s.into()), IpAddr::V4(d.into())),
            Self::V6(s, d) => (IpAddr::V6(s.into()), IpAddr::V6(d.into())),
        }
    }
}

/// What TCP said in a packet.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Segment {
    /// Sequence number of the first payload byte (or of SYN or FIN).
    pub seq: u32,
    /// Acknowledgement number; meaningful with the ACK flag.
    pub ack: u32,
    /// Receive window as written, unscaled.
    pub window: u16,
    /// FIN 1, SYN 2, RST 4, PSH 8, ACK 16, URG 32, ECE 64, CWR 128.
    pub flags: u8,
    /// Whether the fields were captured: with a very short capture length only the ports are.
    pub complete: bool,
}

/// What is counted.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Amount {
    /// Packets on the wire.
    pub packets: u32,
    /// IP octets.
    pub octets: u32,
    /// Frame octets without check sequence.
    pub l2_octets: u32,
}

/// A packet that belongs to a flow.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Packet {
    /// Nanoseconds since the epoch.
    pub time: i64,
    /// Source and destination.
    pub addresses: Addresses,
    /// Source port; the echo identifier for ICMP.
    pub source_port: u16,
    /// Destination port; the echo identifier for ICMP.
    pub destination_port: u16,
    /// Interface, VLANs and tunnel.
    pub context: ContextId,
    /// IP protocol of the payload.
    pub protocol: Protocol,
    /// Which way it went on the interface.
    pub direction: Direction,
    /// Where it was captured.
    pub interface: InterfaceIndex,
    /// The interface's counters have it already: it was inside another packet, or waited as a fragment.
    pub counted: bool,
    /// ICMP type × 256 + code.
    pub icmp: u16,
    /// TCP fields.
    pub segment: Segment,
    /// What is counted.
    pub amount: Amount,
    /// Payload octets of the transport protocol on the wire.
    pub payload_length: u32,
    /// Where the captured transport payload begins in the frame's data; 0 when there is none to look at.
    pub payload_at: u16,
}

/// Identity of a fragmented datagram.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct FragmentId {
    /// Identification (16 bits in IPv4, 32 in IPv6).
    pub id: u32,
    /// Whether this is the first fragment, the one with the ports.
    pub first: bool,
}

/// What became of a frame.
#[derive(Clone, Copy, Debug)]
pub enum Dissected {
    /// A packet of a flow.
    Packet(Packet),
    /// A tunnel packet and the packet inside.
    Tunnel(Packet, Packet),
    /// A fragment: its ports are known only in the first one.
    Fragment(Packet, FragmentId),
    /// Nothing that belongs to a flow.
    Not(Undissected, Amount),
}

/// Takes a frame apart.
#[must_use]
pub fn dissect(frame: &Frame<'_>, contexts: &mut Contexts) -> Dissected {
    let l2 = frame.wire_length.saturating_add(if frame.tag.is_some() { 4 } else { 0 });
    let whole = Amount { packets: 1, octets: 0, l2_octets: l2 };
    let link = match link::parse(frame) {
        Ok(link) => link,
        Err(why) => return Dissected::Not(why, whole),
    };
    let l2 = l2.saturating_sub(link.pseudo_octets);
    let outer = Layer {
        data: frame.data,
        at: link.payload_at,
        wire_left: frame.wire_length.saturating_sub(u32::from(link.payload_at)),
        link_octets: l2.saturating_sub(frame.wire_length.saturating_sub(u32::from(link.payload_at))),
        inner: false,
    };
    let context = contexts.plain(frame.interface, &link.vlan);
    let (mut packet, fragment) = match ip::parse(&outer, frame, context) {
        Ok(parsed) => parsed,
        Err(why) => return Dissected::Not(why, Amount { l2_octets: l2, ..whole }),
    };
    if let Some(fragment) = fragment {
        return Dissected::Fragment(packet, fragment);
    }
    match tunnel::inside(&packet, &outer, frame, &link.vlan, contexts) {
        Some(inner) => {
            if frame.segment_size != 0
                && let Ok((whole, _)) = ip::parse(&outer, &Frame { segment_size: 0, ..*frame }, context)
            {
                packet.amount = carried(whole.amount, &inner);
            }
            Dissected::Tunnel(packet, inner)
        }
        None => Dissected::Packet(packet),
    }
}

/// One IP packet's place in the frame.
#[derive(Clone, Copy, Debug)]
pub struct Layer<'a> {
    /// Captured bytes of the whole frame.
    pub data: &'a [u8],
    /// Where the IP header begins.
    pub at: u16,
    /// Octets on the wire from there on, padding included.
    pub wire_left: u32,
    /// Octets of link header before it, VLAN tags included.
    pub link_octets: u32,
    /// Whether it is inside another packet.
    pub inner: bool,
}

/// Number of packets on the wire for which a super-frame stands.
#[must_use]
pub fn segments(payload: u32, segment_size: u16) -> u32 {
    if segment_size == 0 { 1 } else { payload.div_ceil(u32::from(segment_size)).max(1) }
}

/// A tunnelled super-frame is cut at its inner payload: all headers before that, outer ones too, are on the wire as often.
fn carried(whole: Amount, inner: &Packet) -> Amount {
    let copies = inner.amount.packets.saturating_sub(1);
    let repeat =
        |octets: u32| octets.saturating_add(octets.saturating_sub(inner.payload_length).saturating_mul(copies));
    Amount { packets: inner.amount.packets, octets: repeat(whole.octets), l2_octets: repeat(whole.l2_octets) }
}
