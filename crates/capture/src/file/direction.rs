//! Which way a frame went, when its file does not say.
//!
//! The rule: *out* when its IP source is on this side and its destination is not; *in* in every other case, also when both or
//! neither are, and when there is no IP. "This side" is a list of networks, by default the private and link-local ones.
//! Linux "cooked" captures tell the direction themselves.
//!
//! Limits: looks through at most four VLAN tags; fragments and tunnels are judged by their outer header.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use netwatch_model::Direction;

use crate::frame::LinkType;

/// The networks on this side.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LocalNetworks(Vec<(IpAddr, u8)>);

impl Default for LocalNetworks {
    /// RFC 1918, RFC 3927 (link-local), RFC 4193 (unique local), RFC 4291 section 2.5.6 (link-local).
    fn default() -> Self {
        Self(vec![
            (Ipv4Addr::new(10, 0, 0, 0).into(), 8),
            (Ipv4Addr::new(172, 16, 0, 0).into(), 12),
            (Ipv4Addr::new(192, 168, 0, 0).into(), 16),
            (Ipv4Addr::new(169, 254, 0, 0).into(), 16),
            (Ipv6Addr::new(0xfc00, 0, 0, 0, 0, 0, 0, 0).into(), 7),
            (Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, 0).into(), 10),
        ])
    }
}

impl LocalNetworks {
    /// Networks by address and prefix length.
    #[must_use]
    pub fn new(networks: Vec<(IpAddr, u8)>) -> Self {
        Self(networks)
    }

    /// Whether an address is in one of them.
    #[must_use]
    pub fn contains(&self, address: IpAddr) -> bool {
        self.0.iter().any(|(network, length)| match (network, address) {
            (IpAddr::V4(network), IpAddr::V4(address)) => {
                let apart = network.to_bits() ^ address.to_bits();
                apart.leading_zeros() >= u32::from(*length)
            }
            (IpAddr::V6(network), IpAddr::V6(address)) => {
                let apart = network.to_bits() ^ address.to_bits();
                apart.leading_zeros() >= u32::from(*length)
            }
            _ => false,
        })
    }
}

/// The direction of a frame.
#[must_use]
pub fn guess(data: &[u8], link: LinkType, local: &LocalNetworks) -> Direction {
    let out = match link {
        // `sll_pkttype` (packet(7)): 4 is PACKET_OUTGOING.
        LinkType::LinuxSll => data.starts_with(&[0, 4]),
        LinkType::LinuxSll2 => data.get(10) == Some(&4),
        LinkType::Ethernet | LinkType::Ip | LinkType::Null => {
            packet(data, link).and_then(ends).is_some_and(|(from, to)| local.contains(from) && !local.contains(to))
        }
    };
    if out { Direction::Out } else { Direction::In }
}

/// The IP packet in a frame.
fn packet(data: &[u8], link: LinkType) -> Option<&[u8]> {
    match link {
        LinkType::Ip => Some(data),
        LinkType::Null => data.get(4..),
        _ => {
            let mut rest = data.get(12..)?;
            for _ in 0..=4 {
                match rest.first_chunk::<2>()? {
                    [0x81, 0x00] | [0x88, 0xa8] | [0x91, 0x00] => rest = rest.get(4..)?,
                    [0x08, 0x00] | [0x86, 0xdd] => return rest.get(2..),
                    _ => return None,
                }
            }
            None
        }
    }
}

/// Source and destination of an IP packet.
fn ends(packet: &[u8]) -> Option<(IpAddr, IpAddr)> {
    match packet.first()? >> 4 {
        4 => {
            let at = |from: usize| Some(IpAddr::from(*packet.get(from..)?.first_chunk::<4>()?));
            Some((at(12)?, at(16)?))
        }
        6 => {
            let at = |from: usize| Some(IpAddr::from(*packet.get(from..)?.first_chunk::<16>()?));
            Some((at(8)?, at(24)?))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(tags: &[u8], from: [u8; 4], to: [u8; 4]) -> Vec<u8> {
        let mut frame = vec![0; 12];
        frame.extend(tags);
        frame.extend([0x08, 0x00, 0x45]);
        frame.extend([0; 11]);
        frame.extend(from);
        frame.extend(to);
        frame
    }

    #[test]
    fn out_only_from_this_side_to_the_other() {
        let (inside, outside) = ([192, 168, 1, 2], [1, 1, 1, 1]);
        let local = LocalNetworks::default();
        for (from, to, direction) in [
            (inside, outside, Direction::Out),
            (outside, inside, Direction::In),
            (inside, inside, Direction::In),
            (outside, outside, Direction::In),
        ] {
            for tags in [&[][..], &[0x88, 0xa8, 0, 1, 0x81, 0, 0, 2]] {
                assert_eq!(guess(&frame(tags, from, to), LinkType::Ethernet, &local), direction, "{from:?} to {to:?}");
            }
            assert_eq!(guess(&frame(&[], from, to)[14..], LinkType::Ip, &local), direction);
        }
    }

    #[test]
    fn the_list_decides_and_nothing_else_does() {
        let local = LocalNetworks::new(vec![("2001:db8::".parse().unwrap(), 33), ("0.0.0.0".parse().unwrap(), 0)]);
        for (address, inside) in [("2001:db8:7fff::1", true), ("2001:db8:8000::1", false), ("9.9.9.9", true)] {
            assert_eq!(local.contains(address.parse().unwrap()), inside, "{address}");
        }
    }

    #[test]
    fn short_frames_are_in() {
        let whole = frame(&[0x81, 0, 0, 1], [10, 0, 0, 1], [1, 1, 1, 1]);
        for length in 0..whole.len() {
            assert_eq!(guess(&whole[..length], LinkType::Ethernet, &LocalNetworks::default()), Direction::In);
        }
    }
}
