//! What an address really is.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::network::Network;

/// What kind of place an address is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Class {
    /// An ordinary address of the Internet.
    Public,
    /// This machine.
    Loopback,
    /// "This network": connects to this machine on many systems (RFC 1122, section 3.2.1.3).
    ThisNetwork,
    /// A private network (RFC 1918), or unique local addresses (RFC 4193).
    Private,
    /// Link-local (RFC 3927, RFC 4291), where clouds keep their metadata.
    LinkLocal,
    /// Addresses at which clouds serve metadata and secrets.
    Metadata,
    /// Shared between carrier and customer (RFC 6598).
    Shared,
    /// Multicast or broadcast.
    Multicast,
    /// Reserved, for documentation or for benchmarks: nobody's.
    Reserved,
}

/// Metadata services outside link-local networks: Alibaba, Oracle (classic), AWS over IPv6, Azure's wire server.
const METADATA: [&str; 4] = ["100.100.100.200", "192.0.0.192", "fd00:ec2::254", "168.63.129.16"];
/// The one that most clouds use, within link-local.
const METADATA_V4: Ipv4Addr = Ipv4Addr::new(169, 254, 169, 254);

/// IPv4 networks that are not ordinary (IANA IPv4 Special-Purpose Address Registry).
const SPECIAL_V4: [(&str, Class); 18] = [
    ("0.0.0.0/8", Class::ThisNetwork),
    ("10.0.0.0/8", Class::Private),
    ("100.64.0.0/10", Class::Shared),
    ("127.0.0.0/8", Class::Loopback),
    ("169.254.0.0/16", Class::LinkLocal),
    ("172.16.0.0/12", Class::Private),
    ("192.0.0.0/24", Class::Reserved),
    ("192.0.2.0/24", Class::Reserved),
    ("192.31.196.0/24", Class::Reserved),
    ("192.52.193.0/24", Class::Reserved),
    ("192.88.99.0/24", Class::Reserved),
    ("192.168.0.0/16", Class::Private),
    ("192.175.48.0/24", Class::Reserved),
    ("198.18.0.0/15", Class::Reserved),
    ("198.51.100.0/24", Class::Reserved),
    ("203.0.113.0/24", Class::Reserved),
    ("224.0.0.0/4", Class::Multicast),
    ("240.0.0.0/4", Class::Reserved),
];

/// IPv6 networks that are not ordinary (IANA IPv6 Special-Purpose Address Registry). What is outside 2000::/3 is reserved anyway.
const SPECIAL_V6: [(&str, Class); 11] = [
    ("::1/128", Class::Loopback),
    ("::/128", Class::ThisNetwork),
    ("fe80::/10", Class::LinkLocal),
    ("fec0::/10", Class::Private),
    ("fc00::/7", Class::Private),
    ("ff00::/8", Class::Multicast),
    ("2001:db8::/32", Class::Reserved),
    ("3fff::/20", Class::Reserved),
    ("2001:2::/48", Class::Reserved),
    ("2001:10::/28", Class::Reserved),
    ("100::/64", Class::Reserved),
];

/// What an address is, taken by itself: what it carries inside is told by [`embedded`].
#[must_use]
pub fn classify(address: IpAddr) -> Class {
    let is_metadata = METADATA.iter().any(|text| text.parse() == Ok(address));
    if is_metadata || address == IpAddr::V4(METADATA_V4) {
        return Class::Metadata;
    }
    match address {
        IpAddr::V4(a) if a.is_broadcast() => Class::Multicast,
        IpAddr::V4(_) => special(&SPECIAL_V4, address).unwrap_or(Class::Public),
        IpAddr::V6(a) => {
            let unicast = a.segments()[0] & 0xe000 == 0x2000;
            let translated = embedded(a).is_some();
            let otherwise = if unicast || translated { Class::Public } else { Class::Reserved };
            special(&SPECIAL_V6, address).unwrap_or(otherwise)
        }
    }
}

/// The IPv4 address to which packets for this IPv6 address go in the end, on a network that translates or tunnels.
#[must_use]
pub fn embedded(address: Ipv6Addr) -> Option<Ipv4Addr> {
    let bits = address.to_bits();
    let low = Ipv4Addr::from_bits((bits & 0xffff_ffff) as u32);
    let s = address.segments();
    match s {
        // Loopback and unspecified are not IPv4-compatible addresses.
        _ if bits <= 1 => None,
        // IPv4-mapped (RFC 4291, section 2.5.5.2) and IPv4-compatible (section 2.5.5.1).
        [0, 0, 0, 0, 0, 0xffff | 0, ..] => Some(low),
        // IPv4-translated (RFC 2765, section 2.1).
        [0, 0, 0, 0, 0xffff, 0, ..] => Some(low),
        // NAT64, well-known prefix (RFC 6052) and local-use prefix (RFC 8215) with /96.
        [0x64, 0xff9b, 0 | 1, ..] => Some(low),
        // 6to4 (RFC 3056).
        [0x2002, ..] => Some(Ipv4Addr::from_bits((bits >> 80 & 0xffff_ffff) as u32)),
        // Teredo (RFC 4380, section 4): the client's address is there with all bits inverted.
        [0x2001, 0, ..] => Some(Ipv4Addr::from_bits(!(bits & 0xffff_ffff) as u32)),
        // ISATAP (RFC 5214, section 6.1).
        [.., 0 | 0x200, 0x5efe, _, _] => Some(low),
        _ => None,
    }
}

fn special(table: &[(&str, Class)], address: IpAddr) -> Option<Class> {
    table.iter().find(|(network, _)| network.parse::<Network>().is_ok_and(|n| n.contains(address))).map(|(_, c)| *c)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn tables_are_networks() {
        for (text, _) in SPECIAL_V4.iter().chain(&SPECIAL_V6) {
            assert!(text.parse::<Network>().is_ok(), "{text}");
        }
        assert!(METADATA.iter().all(|text| text.parse::<IpAddr>().is_ok()));
    }

    #[test]
    fn places_are_known() {
        for (text, class) in [
            ("8.8.8.8", Class::Public),
            ("2606:4700::1111", Class::Public),
            ("127.0.0.1", Class::Loopback),
            ("127.255.255.254", Class::Loopback),
            ("::1", Class::Loopback),
            ("0.0.0.0", Class::ThisNetwork),
            ("0.1.2.3", Class::ThisNetwork),
            ("::", Class::ThisNetwork),
            ("10.0.0.1", Class::Private),
            ("172.31.255.255", Class::Private),
            ("172.32.0.1", Class::Public),
            ("192.168.1.1", Class::Private),
            ("fd12::1", Class::Private),
            ("169.254.169.254", Class::Metadata),
            ("fd00:ec2::254", Class::Metadata),
            ("168.63.129.16", Class::Metadata),
            ("169.254.0.1", Class::LinkLocal),
            ("fe80::1", Class::LinkLocal),
            ("100.64.0.1", Class::Shared),
            ("224.0.0.1", Class::Multicast),
            ("255.255.255.255", Class::Multicast),
            ("ff02::1", Class::Multicast),
            ("198.18.0.1", Class::Reserved),
            ("240.0.0.1", Class::Reserved),
            ("2001:db8::1", Class::Reserved),
            ("4000::1", Class::Reserved),
        ] {
            assert_eq!(classify(text.parse().unwrap()), class, "{text}");
        }
    }

    #[test]
    fn ipv4_inside_ipv6_is_found() {
        for text in [
            "::ffff:127.0.0.1",
            "::127.0.0.1",
            "::ffff:0:7f00:1",
            "64:ff9b::7f00:1",
            "64:ff9b:1::7f00:1",
            "2002:7f00:1::",
            "2002:7f00:1:1:2:3:4:5",
            "2001:0:1:2:3:4:80ff:fffe",
            "2606:4700::5efe:7f00:1",
        ] {
            assert_eq!(embedded(text.parse().unwrap()), Some(Ipv4Addr::LOCALHOST), "{text}");
        }
        for text in ["::1", "::", "2606:4700::1111", "fe80::1"] {
            assert_eq!(embedded(text.parse().unwrap()), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn every_address_has_a_class(bits: u128, short: u32) {
            let _any = classify(IpAddr::V6(Ipv6Addr::from_bits(bits)));
            let v4 = Ipv4Addr::from_bits(short);
            prop_assert_eq!(embedded(v4.to_ipv6_mapped()), Some(v4));
            if v4.is_private() || v4.is_loopback() || v4.is_link_local() {
                prop_assert_ne!(classify(IpAddr::V4(v4)), Class::Public);
            }
        }
    }
}
