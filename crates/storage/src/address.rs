//! Addresses as two whole numbers, so that DuckDB packs and compares them: an IPv4 address as its IPv4-mapped IPv6 address.

use std::net::{IpAddr, Ipv6Addr};

use netwatch_model::filter::Network;

/// What stands before an IPv4 address in the lower half (RFC 4291, section 2.5.5.2).
const MAPPED: u64 = 0xffff_0000_0000;

/// Upper and lower 64 bits.
pub(crate) fn halves(address: IpAddr) -> (u64, u64) {
    match address {
        IpAddr::V4(a) => (0, MAPPED | u64::from(a.to_bits())),
        IpAddr::V6(a) => split(a.to_bits()),
    }
}

/// The address of its halves.
pub(crate) fn whole(hi: u64, lo: u64) -> IpAddr {
    let address = Ipv6Addr::from_bits(u128::from(hi) << 64 | u128::from(lo));
    address.to_ipv4_mapped().map_or(IpAddr::V6(address), IpAddr::V4)
}

/// First and last address of a network.
pub(crate) fn bounds(network: &Network) -> ((u64, u64), (u64, u64)) {
    let (hi, lo) = halves(network.address());
    let bits = u32::from(network.bits()) + if network.address().is_ipv4() { 96 } else { 0 };
    let first = u128::from(hi) << 64 | u128::from(lo);
    let last = first | u128::MAX.checked_shr(bits).unwrap_or(0);
    ((hi, lo), split(last))
}

#[expect(clippy::cast_possible_truncation, reason = "the lower half is meant")]
pub(crate) const fn split(bits: u128) -> (u64, u64) {
    ((bits >> 64) as u64, bits as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_come_back() {
        for text in ["192.0.2.1", "0.0.0.0", "2001:db8::1", "::", "::1", "ffff::ffff"] {
            let address: IpAddr = text.parse().unwrap();
            let (hi, lo) = halves(address);
            assert_eq!(whole(hi, lo), address, "{text}");
        }
    }

    #[test]
    fn bounds_are_the_first_and_last_address() {
        let bounds = |text| {
            let ((a, b), (c, d)) = bounds(&Network::parse(text).unwrap());
            (whole(a, b).to_string(), whole(c, d).to_string())
        };
        assert_eq!(bounds("192.0.2.128/25"), ("192.0.2.128".into(), "192.0.2.255".into()));
        assert_eq!(bounds("2001:db8::/32"), ("2001:db8::".into(), "2001:db8:ffff:ffff:ffff:ffff:ffff:ffff".into()));
        assert_eq!(bounds("192.0.2.1"), ("192.0.2.1".into(), "192.0.2.1".into()));
        assert_eq!(bounds("0.0.0.0/0").1, "255.255.255.255");
    }
}
