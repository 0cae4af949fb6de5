//! An address with a prefix length.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// A network: all addresses that share the first bits.
///
/// A single address is a network of 32 or 128 bits. IPv4 and IPv6 never fit each other.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Network {
    address: IpAddr,
    bits: u8,
}

impl Network {
    /// The network of `address` with a prefix of `bits`; host bits are cleared. `None` when `bits` is too large.
    #[must_use]
    pub fn new(address: IpAddr, bits: u8) -> Option<Self> {
        if bits > width(address) {
            return None;
        }
        Some(Self { address: mask(address, bits), bits })
    }

    /// From `10.0.0.1`, `10.0.0.0/8`, `2001:db8::/32`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        match text.split_once('/') {
            None => text.parse().ok().and_then(|a: IpAddr| Self::new(a, width(a))),
            Some((address, bits)) => {
                let plain = !bits.is_empty() && bits.bytes().all(|b| b.is_ascii_digit());
                plain.then(|| Self::new(address.parse().ok()?, bits.parse().ok()?)).flatten()
            }
        }
    }

    /// Whether `address` lies in the network.
    #[must_use]
    pub fn contains(&self, address: IpAddr) -> bool {
        match (self.address, address) {
            (IpAddr::V4(_), IpAddr::V4(_)) | (IpAddr::V6(_), IpAddr::V6(_)) => mask(address, self.bits) == self.address,
            _ => false,
        }
    }

    /// The first address.
    #[must_use]
    pub const fn address(&self) -> IpAddr {
        self.address
    }

    /// Length of the prefix in bits.
    #[must_use]
    pub const fn bits(&self) -> u8 {
        self.bits
    }

    /// Whether it holds one address only.
    #[must_use]
    pub fn is_host(&self) -> bool {
        self.bits == width(self.address)
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_host() { write!(f, "{}", self.address) } else { write!(f, "{}/{}", self.address, self.bits) }
    }
}

const fn width(address: IpAddr) -> u8 {
    match address {
        IpAddr::V4(_) => 32,
        IpAddr::V6(_) => 128,
    }
}

fn mask(address: IpAddr, bits: u8) -> IpAddr {
    match address {
        IpAddr::V4(a) => {
            let keep = u32::MAX.checked_shl(32 - u32::from(bits)).unwrap_or(0);
            IpAddr::V4(Ipv4Addr::from_bits(a.to_bits() & keep))
        }
        IpAddr::V6(a) => {
            let keep = u128::MAX.checked_shl(128 - u32::from(bits)).unwrap_or(0);
            IpAddr::V6(Ipv6Addr::from_bits(a.to_bits() & keep))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn contains_what_shares_the_prefix() {
        let net = |t: &str| Network::parse(t).unwrap();
        let ip = |t: &str| t.parse::<IpAddr>().unwrap();
        assert!(net("10.1.2.3/8").contains(ip("10.200.0.1")));
        assert!(!net("10.0.0.0/8").contains(ip("11.0.0.1")));
        assert!(net("0.0.0.0/0").contains(ip("255.255.255.255")));
        assert!(!net("0.0.0.0/0").contains(ip("::1")));
        assert!(net("2001:db8::/32").contains(ip("2001:db8:ffff::1")));
        assert!(net("::/0").contains(ip("2001::")));
        assert!(net("192.0.2.1").contains(ip("192.0.2.1")) && !net("192.0.2.1").contains(ip("192.0.2.2")));
    }

    #[test]
    fn refuses_what_is_no_network() {
        for bad in ["", "10.0.0", "10.0.0.0/33", "::/129", "10.0.0.0/", "10.0.0.0/+8", "example.com", "1.2.3.4/8/8"] {
            assert_eq!(Network::parse(bad), None, "{bad}");
        }
        assert_eq!(Network::parse("10.1.2.3/8").unwrap().to_string(), "10.0.0.0/8");
    }
}
