//! Frames, built header by header.
//!
//! Every byte is written here and not by a library, so that a dissector is never tested against its own other half, and so that a
//! header can lie. Build from the inside out: a [`Transport`] (TCP, UDP, ICMP, a tunnel …) is carried by [`Ipv4`] or [`Ipv6`], which
//! give an IP packet, which [`ethernet()`] puts in a frame.
//!
//! ```
//! use netwatch_testkit::frames::{ethernet, ipv4, udp};
//! let frame = ethernet(ipv4("10.0.0.1", "10.0.0.2").carry(udp(1111, 53, b"x"))).vlan(0x8100, 100).pad().build();
//! assert_eq!(frame.len(), 60);
//! ```
//!
//! Limits: builders are for tests and panic on input that makes no sense, such as an address that is none.

mod ethernet;
mod ip;
mod payload;
mod transport;

pub use ethernet::{CLIENT_MAC, Ethernet, SERVER_MAC, arp, ethernet, linux_sll, lldp, raw_ethernet};
pub use ip::{Ipv4, Ipv6, ipv4, ipv6};
pub use payload::{dns_answer, dns_query, http_get, tls_client_hello, vxlan};
pub use transport::{
    Tcp, Transport, flags, gre, icmp_echo, icmp_unreachable, icmpv6_echo, in_ip, protocol, sctp, tcp, udp,
};

/// The Internet checksum (RFC 1071) over `parts`, each of which but the last has an even length.
fn checksum(parts: &[&[u8]]) -> u16 {
    let words = parts.iter().flat_map(|part| part.chunks(2));
    let sum: u32 = words.map(|word| u32::from(word[0]) << 8 | u32::from(word.get(1).copied().unwrap_or(0))).sum();
    let folded = (sum & 0xffff) + (sum >> 16);
    let folded = (folded & 0xffff) + (folded >> 16);
    !u16::try_from(folded).unwrap_or(0xffff)
}

#[cfg(test)]
mod tests;
