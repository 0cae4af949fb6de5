//! What is inside a ring block: `tpacket3_hdr`, `sockaddr_ll`, `virtio_net_hdr` and the frame, read with checked code.
//!
//! The layout is that of `linux/if_packet.h`. The kernel is trusted to tell the truth, and still an offset outside the block
//! ends the iteration instead of the program.

use netwatch_model::{Direction, Timestamp};

use crate::frame::{Frame, InterfaceIndex, LinkType, OffloadedTag};

/// Where `block_status` stands in a block.
pub(super) const STATUS_OFFSET: usize = 8;

/// `tpacket3_hdr` (48 octets, aligned to 16) and the `sockaddr_ll` behind it.
const HEADER: usize = 48 + 20;
/// `virtio_net_hdr`, which stands right before the frame.
const VNET_HEADER: usize = 10;
/// `VIRTIO_NET_HDR_GSO_NONE`.
const GSO_NONE: u8 = 0;

/// The frames of one block.
#[derive(Clone, Debug)]
pub struct Frames<'a> {
    block: &'a [u8],
    offset: usize,
    left: u32,
    interface: InterfaceIndex,
    link: LinkType,
}

impl<'a> Frames<'a> {
    /// Reads the block's header; a block that is too short has no frames.
    #[must_use]
    pub fn new(block: &'a [u8], interface: InterfaceIndex, link: LinkType) -> Self {
        let (left, first) = match block.first_chunk::<20>() {
            Some(head) => (word(head, 12), word(head, 16)),
            None => (0, 0),
        };
        Self { block, offset: first as usize, left, interface, link }
    }

    /// Where the next frame's header begins.
    #[inline]
    pub(super) const fn offset(&self) -> usize {
        self.offset
    }
}

impl<'a> Iterator for Frames<'a> {
    type Item = Frame<'a>;

    #[inline]
    fn next(&mut self) -> Option<Frame<'a>> {
        if self.left == 0 {
            return None;
        }
        let frame = self.block.get(self.offset..).and_then(|at| read(at, self.interface, self.link));
        let Some((frame, next)) = frame else {
            self.left = 0;
            return None;
        };
        // The last frame of a block has no next one: zero.
        self.left = if next == 0 { 0 } else { self.left - 1 };
        self.offset += next;
        Some(frame)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (0, Some(self.left as usize))
    }
}

/// Octets of a block that the kernel has written.
pub(super) fn used(block: &[u8]) -> usize {
    block.first_chunk::<24>().map_or(0, |head| word(head, 20) as usize).min(block.len())
}

/// The frame whose header `at` begins with, and the distance to the next one.
#[inline]
fn read(at: &[u8], interface: InterfaceIndex, link: LinkType) -> Option<(Frame<'_>, usize)> {
    let head = at.first_chunk::<HEADER>()?;
    let (mac, captured) = (usize::from(half(head, 24)), word(head, 12) as usize);
    let data = at.get(mac..)?.get(..captured)?;
    let vnet = at.get(mac.checked_sub(VNET_HEADER)?..mac)?.first_chunk::<VNET_HEADER>()?;
    let frame = Frame {
        time: Timestamp::from_nanos(i64::from(word(head, 4)) * 1_000_000_000 + i64::from(word(head, 8))),
        data,
        wire_length: word(head, 16),
        tag: tag(head),
        segment_size: if vnet[1] == GSO_NONE { 0 } else { half(vnet, 4) },
        direction: if head[48 + 10] == libc::PACKET_OUTGOING { Direction::Out } else { Direction::In },
        interface,
        link,
    };
    Some((frame, word(head, 0) as usize))
}

/// The tag that the kernel took out. Drivers that do not tell its protocol mean 802.1Q.
#[inline]
fn tag(head: &[u8; HEADER]) -> Option<OffloadedTag> {
    let status = word(head, 20);
    if status & libc::TP_STATUS_VLAN_VALID == 0 {
        return None;
    }
    let tpid = if status & libc::TP_STATUS_VLAN_TPID_VALID == 0 { 0x8100 } else { half(head, 36) };
    // The identifier is the lower half of `tp_vlan_tci`.
    Some(OffloadedTag { tpid, tci: (word(head, 32) & 0xffff) as u16 })
}

#[inline]
fn word<const N: usize>(octets: &[u8; N], at: usize) -> u32 {
    u32::from_ne_bytes([octets[at], octets[at + 1], octets[at + 2], octets[at + 3]])
}

#[inline]
fn half<const N: usize>(octets: &[u8; N], at: usize) -> u16 {
    u16::from_ne_bytes([octets[at], octets[at + 1]])
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// A block with one frame of `data`, as the kernel lays it out.
    fn block(data: &[u8], status: u32, packet_type: u8, gso: (u8, u16)) -> Vec<u8> {
        let mut block = vec![0_u8; 256 + data.len()];
        block[12..16].copy_from_slice(&1_u32.to_ne_bytes());
        block[16..20].copy_from_slice(&48_u32.to_ne_bytes());
        let (mac, len) = (96_u16, u32::try_from(data.len()).unwrap());
        let at = &mut block[48..];
        at[4..8].copy_from_slice(&7_u32.to_ne_bytes());
        at[8..12].copy_from_slice(&9_u32.to_ne_bytes());
        at[12..16].copy_from_slice(&len.to_ne_bytes());
        at[16..20].copy_from_slice(&(len + 5).to_ne_bytes());
        at[20..24].copy_from_slice(&status.to_ne_bytes());
        at[24..26].copy_from_slice(&mac.to_ne_bytes());
        at[32..36].copy_from_slice(&0x6064_u32.to_ne_bytes());
        at[36..38].copy_from_slice(&0x88a8_u16.to_ne_bytes());
        at[58] = packet_type;
        at[87] = gso.0;
        at[90..92].copy_from_slice(&gso.1.to_ne_bytes());
        at[96..96 + data.len()].copy_from_slice(data);
        block
    }

    #[test]
    fn reads_what_the_kernel_writes() {
        let status = libc::TP_STATUS_USER | libc::TP_STATUS_VLAN_VALID | libc::TP_STATUS_VLAN_TPID_VALID;
        let block = block(b"frame", status, libc::PACKET_OUTGOING, (1, 1448));
        let frames: Vec<_> = Frames::new(&block, InterfaceIndex(3), LinkType::Ethernet).collect();
        let [frame] = frames.as_slice() else { panic!("one frame, not {}", frames.len()) };
        assert_eq!(frame.time, Timestamp::from_nanos(7_000_000_009));
        assert_eq!((frame.data, frame.wire_length), (&b"frame"[..], 10));
        assert_eq!(frame.tag, Some(OffloadedTag { tpid: 0x88a8, tci: 0x6064 }));
        assert_eq!((frame.segment_size, frame.direction), (1448, Direction::Out));
        assert_eq!(frame.interface, InterfaceIndex(3));
    }

    #[test]
    fn without_offload_there_is_neither_tag_nor_segment() {
        let block = block(b"x", libc::TP_STATUS_USER, libc::PACKET_BROADCAST, (0, 1448));
        let frame = Frames::new(&block, InterfaceIndex(0), LinkType::Ethernet).next().unwrap();
        assert_eq!((frame.tag, frame.segment_size, frame.direction), (None, 0, Direction::In));
    }

    proptest! {
        #[test]
        fn never_panics(octets in proptest::collection::vec(any::<u8>(), 0..400), first in 0_u32..200) {
            let mut octets = octets;
            if octets.len() > 20 {
                octets[16..20].copy_from_slice(&first.to_ne_bytes());
            }
            let _ = Frames::new(&octets, InterfaceIndex(0), LinkType::Ethernet).take(1000).count();
        }
    }
}
