//! Link layer: where does the IP packet begin, and behind which VLAN tags.
//!
//! Ethernet II and 802.3 (IEEE 802.3), 802.1Q, 802.1ad and 9100 tags in any depth up to [`MAX_TAGS`], MPLS
//! (RFC 3032), PPPoE session (RFC 2516), Linux cooked v1 and v2, BSD loopback, bare IP.

use netwatch_model::VlanStack;

use super::{MAX_TAGS, Undissected};
use crate::frame::{Frame, LinkType};

/// Where the packet begins.
#[derive(Clone, Copy, Debug)]
pub struct Link {
    /// Offset of the IP header.
    pub payload_at: u16,
    /// Octets of a capture header that was never on the wire.
    pub pseudo_octets: u32,
    /// VLAN identifiers, outermost first.
    pub vlan: VlanStack,
}

/// `ETH_P_IP`
const IPV4: u16 = 0x0800;
/// `ETH_P_IPV6`
const IPV6: u16 = 0x86dd;

/// Finds the IP header.
///
/// # Errors
/// Says why there is none: not IP, or cut.
pub fn parse(frame: &Frame<'_>) -> Result<Link, Undissected> {
    let d = frame.data;
    let mut vlan = VlanStack::EMPTY;
    if let Some(tag) = frame.tag {
        vlan.push(tag.tci);
    }
    match frame.link {
        LinkType::Ethernet => {
            let kind = be16(d, 12).ok_or(Undissected::TruncatedLink)?;
            if kind == IPV4 || kind == IPV6 {
                return Ok(Link { payload_at: 14, pseudo_octets: 0, vlan });
            }
            tagged(d, 14, kind, 0, vlan)
        }
        LinkType::Ip => by_version(d, 0, 0, vlan),
        LinkType::LinuxSll => tagged(d, 16, be16(d, 14).ok_or(Undissected::TruncatedLink)?, 16, vlan),
        LinkType::LinuxSll2 => tagged(d, 20, be16(d, 0).ok_or(Undissected::TruncatedLink)?, 20, vlan),
        LinkType::Null => by_version(d, 4, 4, vlan),
    }
}

/// Looks through tags, labels and PPPoE from `at` on.
fn tagged(d: &[u8], at: usize, kind: u16, pseudo: u32, mut vlan: VlanStack) -> Result<Link, Undissected> {
    let (mut at, mut kind) = (at, kind);
    for _ in 0..MAX_TAGS {
        match kind {
            IPV4 | IPV6 => return found(at, pseudo, vlan),
            0x8100 | 0x88a8 | 0x9100 | 0x9200 => {
                vlan.push(be16(d, at).ok_or(Undissected::TruncatedLink)?);
                kind = be16(d, at + 2).ok_or(Undissected::TruncatedLink)?;
                at += 4;
            }
            0x8847 | 0x8848 => return labelled(d, at, pseudo, vlan),
            0x8864 => {
                return match be16(d, at + 6) {
                    Some(0x0021 | 0x0057) => found(at + 8, pseudo, vlan),
                    Some(_) => Err(Undissected::OtherLink),
                    None => Err(Undissected::TruncatedLink),
                };
            }
            0x0806 => return Err(Undissected::Arp),
            0x88cc => return Err(Undissected::Lldp),
            _ => return Err(Undissected::OtherLink),
        }
    }
    Err(Undissected::OtherLink)
}

/// MPLS: labels until the bottom of the stack, then IP by its version.
fn labelled(d: &[u8], mut at: usize, pseudo: u32, vlan: VlanStack) -> Result<Link, Undissected> {
    for _ in 0..MAX_TAGS {
        let bottom = d.get(at + 2).ok_or(Undissected::TruncatedLink)? & 1 == 1;
        at += 4;
        if bottom {
            return by_version(d, at, pseudo, vlan);
        }
    }
    Err(Undissected::OtherLink)
}

fn by_version(d: &[u8], at: usize, pseudo: u32, vlan: VlanStack) -> Result<Link, Undissected> {
    match d.get(at).map(|b| b >> 4) {
        Some(4 | 6) => found(at, pseudo, vlan),
        Some(_) => Err(Undissected::OtherLink),
        None => Err(Undissected::TruncatedLink),
    }
}

fn found(at: usize, pseudo_octets: u32, vlan: VlanStack) -> Result<Link, Undissected> {
    let payload_at = u16::try_from(at).map_err(|_| Undissected::TruncatedLink)?;
    Ok(Link { payload_at, pseudo_octets, vlan })
}

/// Two bytes in network order.
#[inline]
pub fn be16(d: &[u8], at: usize) -> Option<u16> {
    d.get(at..)?.first_chunk().map(|b| u16::from_be_bytes(*b))
}

/// Four bytes in network order.
#[inline]
pub fn be32(d: &[u8], at: usize) -> Option<u32> {
    d.get(at..)?.first_chunk().map(|b| u32::from_be_bytes(*b))
}

/// Sixteen bytes in network order.
#[inline]
pub fn be128(d: &[u8], at: usize) -> Option<u128> {
    d.get(at..)?.first_chunk().map(|b| u128::from_be_bytes(*b))
}
