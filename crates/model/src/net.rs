//! Small network values that several records share.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Which way a frame went, seen from the interface that captured it.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Direction {
    /// Received by the interface.
    In,
    /// Sent by the interface.
    Out,
}

impl Direction {
    /// 0 for in, 1 for out.
    #[must_use]
    pub const fn index(self) -> usize {
        self as usize
    }

    /// The word that users see.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::In => "in",
            Self::Out => "out",
        }
    }
}

/// An IP protocol number (IANA "Assigned Internet Protocol Numbers").
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, PartialOrd, Ord, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Protocol(pub u8);

impl Protocol {
    /// ICMP for IPv4.
    pub const ICMP: Self = Self(1);
    /// IPv4 in IP.
    pub const IPIP: Self = Self(4);
    /// TCP.
    pub const TCP: Self = Self(6);
    /// UDP.
    pub const UDP: Self = Self(17);
    /// IPv6 in IP.
    pub const IPV6: Self = Self(41);
    /// GRE.
    pub const GRE: Self = Self(47);
    /// ICMP for IPv6.
    pub const ICMPV6: Self = Self(58);
    /// SCTP.
    pub const SCTP: Self = Self(132);

    const NAMES: &'static [(u8, &'static str)] = &[
        (0, "hopopt"),
        (1, "icmp"),
        (2, "igmp"),
        (4, "ipip"),
        (6, "tcp"),
        (17, "udp"),
        (33, "dccp"),
        (41, "ipv6"),
        (46, "rsvp"),
        (47, "gre"),
        (50, "esp"),
        (51, "ah"),
        (58, "icmpv6"),
        (88, "eigrp"),
        (89, "ospf"),
        (103, "pim"),
        (112, "vrrp"),
        (115, "l2tp"),
        (132, "sctp"),
        (136, "udplite"),
        (137, "mpls-in-ip"),
    ];

    /// The lower-case IANA keyword, when it is one of the common ones.
    #[must_use]
    pub fn name(self) -> Option<&'static str> {
        Self::NAMES.iter().find(|(n, _)| *n == self.0).map(|(_, name)| *name)
    }

    /// The protocol of that keyword, in any case.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::NAMES.iter().find(|(_, n)| n.eq_ignore_ascii_case(name)).map(|(n, _)| Self(*n))
    }

    /// Whether the protocol has ports in its first four bytes.
    #[must_use]
    pub const fn has_ports(self) -> bool {
        matches!(self.0, 6 | 17 | 33 | 132 | 136)
    }
}

impl fmt::Display for Protocol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name() {
            Some(name) => f.write_str(name),
            None => write!(f, "{}", self.0),
        }
    }
}

/// The VLAN identifiers of a frame (IEEE 802.1Q), outermost first; at most four.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default, PartialOrd, Ord)]
pub struct VlanStack {
    ids: [u16; Self::MAX],
    len: u8,
}

impl VlanStack {
    /// How many tags are kept; deeper tags are parsed and counted in no identifier.
    pub const MAX: usize = 4;

    /// No tag.
    pub const EMPTY: Self = Self { ids: [0; Self::MAX], len: 0 };

    /// Adds one more inner tag; ignored when full. Only the 12 identifier bits are kept.
    pub fn push(&mut self, id: u16) {
        if let Some(place) = self.ids.get_mut(usize::from(self.len)) {
            *place = id & 0x0fff;
            self.len += 1;
        }
    }

    /// The identifiers, outermost first.
    #[must_use]
    pub fn as_slice(&self) -> &[u16] {
        &self.ids[..usize::from(self.len)]
    }

    /// Whether there is no tag.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.len == 0
    }
}

impl FromIterator<u16> for VlanStack {
    fn from_iter<I: IntoIterator<Item = u16>>(ids: I) -> Self {
        let mut stack = Self::EMPTY;
        ids.into_iter().for_each(|id| stack.push(id));
        stack
    }
}

impl fmt::Debug for VlanStack {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.as_slice()).finish()
    }
}

impl Serialize for VlanStack {
    fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        self.as_slice().serialize(s)
    }
}

impl<'de> Deserialize<'de> for VlanStack {
    fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        Ok(Vec::<u16>::deserialize(d)?.into_iter().collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn vlan_stack_keeps_four_and_masks_priority_bits() {
        let stack: VlanStack = [0x6064, 200, 1, 2, 3].into_iter().collect();
        assert_eq!(stack.as_slice(), [100, 200, 1, 2]);
    }

    #[test]
    fn protocol_names_both_ways() {
        assert_eq!(Protocol::from_name("TCP"), Some(Protocol::TCP));
        assert_eq!(Protocol(58).to_string(), "icmpv6");
        assert_eq!(Protocol(200).to_string(), "200");
    }
}
