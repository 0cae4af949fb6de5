//! A frame as every source hands it over: a ring, a capture file, a test.

use netwatch_model::{Direction, Timestamp};

/// The number of a capture point (an interface, a capture file) within this run, below 256.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, PartialOrd, Ord)]
pub struct InterfaceIndex(pub u8);

/// What the first bytes of a frame are (`LINKTYPE_` values of pcap).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub enum LinkType {
    /// Ethernet (1), also loopback on Linux.
    #[default]
    Ethernet,
    /// A bare IPv4 or IPv6 packet (101, 228, 229; `ARPHRD_NONE`, tun devices).
    Ip,
    /// Linux "cooked" capture v1 (113).
    LinuxSll,
    /// Linux "cooked" capture v2 (276).
    LinuxSll2,
    /// BSD loopback (0): four bytes of address family in host order of the writer.
    Null,
}

/// A VLAN tag that the kernel took out of the frame and handed over beside it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct OffloadedTag {
    /// Tag protocol identifier: 0x8100, 0x88a8 or 0x9100.
    pub tpid: u16,
    /// Priority (3 bits), drop eligible (1), identifier (12).
    pub tci: u16,
}

/// One captured frame.
#[derive(Clone, Copy, Debug)]
pub struct Frame<'a> {
    /// When the kernel (or the file) says that it was seen.
    pub time: Timestamp,
    /// The captured bytes: at most `wire_length`, often fewer.
    pub data: &'a [u8],
    /// Length of `data` as it was on the wire, without check sequence and without an offloaded tag.
    pub wire_length: u32,
    /// The outermost VLAN tag when the kernel has taken it out of `data`.
    pub tag: Option<OffloadedTag>,
    /// Payload octets of each segment when this is a super-frame of segmentation offload, else zero.
    pub segment_size: u16,
    /// Which way it went.
    pub direction: Direction,
    /// Where it was captured.
    pub interface: InterfaceIndex,
    /// How `data` begins.
    pub link: LinkType,
}

impl Frame<'_> {
    /// No octets: a place holder in arrays that are filled later.
    pub const EMPTY: Self = Self {
        time: Timestamp::ZERO,
        data: &[],
        wire_length: 0,
        tag: None,
        segment_size: 0,
        direction: Direction::In,
        interface: InterfaceIndex(0),
        link: LinkType::Ethernet,
    };
}
