//! IPv4 with options and fragments, IPv6 with its chain of extension headers.

use std::net::{Ipv4Addr, Ipv6Addr};

use super::checksum;
use super::transport::Transport;

const HOP_LIMIT: u8 = 64;
const FRAGMENT: u8 = 44;
const NO_NEXT_HEADER: u8 = 59;

/// An IPv4 header in the making.
#[derive(Clone, Debug)]
pub struct Ipv4 {
    source: [u8; 4],
    destination: [u8; 4],
    id: u16,
    options: Vec<u8>,
    total_length: Option<u16>,
}

/// An IPv4 header between two addresses.
///
/// # Panics
/// When one of the addresses is none.
#[must_use]
pub fn ipv4(source: &str, destination: &str) -> Ipv4 {
    let address = |text: &str| text.parse::<Ipv4Addr>().expect("an IPv4 address").octets();
    Ipv4 { source: address(source), destination: address(destination), id: 0, options: vec![], total_length: None }
}

impl Ipv4 {
    /// Sets the identification, which joins fragments.
    #[must_use]
    pub const fn id(mut self, id: u16) -> Self {
        self.id = id;
        self
    }

    /// Adds options; their length is a multiple of four and at most 40.
    #[must_use]
    pub fn options(mut self, options: &[u8]) -> Self {
        assert!(options.len().is_multiple_of(4) && options.len() <= 40, "options fill whole words");
        self.options = options.to_vec();
        self
    }

    /// Writes this total length instead of the true one.
    #[must_use]
    pub const fn total_length(mut self, lie: u16) -> Self {
        self.total_length = Some(lie);
        self
    }

    /// The packet that carries `transport`.
    #[must_use]
    pub fn carry(self, transport: Transport) -> Vec<u8> {
        let protocol = transport.protocol();
        let payload = transport.finish(&[self.source, self.destination].concat());
        self.packet(protocol, 0, &payload)
    }

    /// The packets that carry `transport` in fragments of `size` octets, a multiple of eight.
    #[must_use]
    pub fn fragments(self, transport: Transport, size: usize) -> Vec<Vec<u8>> {
        let protocol = transport.protocol();
        let payload = transport.finish(&[self.source, self.destination].concat());
        let fragment = |(offset, part, is_last): (usize, &[u8], bool)| {
            let more = if is_last { 0 } else { 0x2000 };
            self.packet(protocol, more | u16_of(offset / 8), part)
        };
        parts(&payload, size).map(fragment).collect()
    }

    fn packet(&self, protocol: u8, fragment: u16, payload: &[u8]) -> Vec<u8> {
        let header_length = 20 + self.options.len();
        let total_length = self.total_length.unwrap_or_else(|| u16_of(header_length + payload.len()));
        let mut header = vec![0x40 | u8::try_from(header_length / 4).unwrap_or(0), 0];
        header.extend(total_length.to_be_bytes());
        header.extend(self.id.to_be_bytes());
        header.extend(fragment.to_be_bytes());
        header.extend([HOP_LIMIT, protocol, 0, 0]);
        header.extend(self.source);
        header.extend(self.destination);
        header.extend(&self.options);
        let sum = checksum(&[&header]);
        header[10..12].copy_from_slice(&sum.to_be_bytes());
        [&header, payload].concat()
    }
}

/// An IPv6 header and its extension headers in the making.
#[derive(Clone, Debug)]
pub struct Ipv6 {
    source: [u8; 16],
    destination: [u8; 16],
    /// Type and octets of each extension header; the first octet is the type of the next one.
    extensions: Vec<(u8, Vec<u8>)>,
}

/// An IPv6 header between two addresses.
///
/// # Panics
/// When one of the addresses is none.
#[must_use]
pub fn ipv6(source: &str, destination: &str) -> Ipv6 {
    let address = |text: &str| text.parse::<Ipv6Addr>().expect("an IPv6 address").octets();
    Ipv6 { source: address(source), destination: address(destination), extensions: vec![] }
}

impl Ipv6 {
    /// Adds a hop-by-hop options header of 8 octets, all padding.
    #[must_use]
    pub fn hop_by_hop(self) -> Self {
        self.extension(0, &[0, 0, 1, 4, 0, 0, 0, 0])
    }

    /// Adds a routing header of 8 octets (experimental type 253, no segments left).
    #[must_use]
    pub fn routing(self) -> Self {
        self.extension(43, &[0, 0, 253, 0, 0, 0, 0, 0])
    }

    /// Adds a destination options header of 8 octets, all padding.
    #[must_use]
    pub fn destination_options(self) -> Self {
        self.extension(60, &[0, 0, 1, 4, 0, 0, 0, 0])
    }

    /// Adds a fragment header of 8 octets on a packet that is whole (an atomic fragment, RFC 6946).
    #[must_use]
    pub fn atomic_fragment(self) -> Self {
        self.extension(FRAGMENT, &[0, 0, 0, 0, 0, 0, 0, 7])
    }

    /// Adds an authentication header of 24 octets (RFC 4302, a check value of 12 octets).
    #[must_use]
    pub fn authentication(self) -> Self {
        let mut header = vec![0, 4, 0, 0, 0, 0, 0, 1, 0, 0, 0, 1];
        header.extend([0xaa; 12]);
        self.extension(51, &header)
    }

    /// The packet that carries `transport`.
    #[must_use]
    pub fn carry(self, transport: Transport) -> Vec<u8> {
        let protocol = transport.protocol();
        let payload = transport.finish(&[self.source, self.destination].concat());
        self.packet(protocol, &payload)
    }

    /// The packet that carries nothing ("no next header", RFC 8200 section 4.7).
    #[must_use]
    pub fn carry_nothing(self) -> Vec<u8> {
        self.packet(NO_NEXT_HEADER, &[])
    }

    /// The packets that carry `transport` in fragments of `size` octets, a multiple of eight.
    #[must_use]
    pub fn fragments(self, id: u32, transport: Transport, size: usize) -> Vec<Vec<u8>> {
        let protocol = transport.protocol();
        let payload = transport.finish(&[self.source, self.destination].concat());
        let fragment = |(offset, part, is_last): (usize, &[u8], bool)| {
            let mut header = vec![0, 0];
            header.extend((u16_of(offset) | u16::from(!is_last)).to_be_bytes());
            header.extend(id.to_be_bytes());
            self.clone().extension(FRAGMENT, &header).packet(protocol, part)
        };
        parts(&payload, size).map(fragment).collect()
    }

    fn extension(mut self, kind: u8, header: &[u8]) -> Self {
        self.extensions.push((kind, header.to_vec()));
        self
    }

    fn packet(&self, protocol: u8, payload: &[u8]) -> Vec<u8> {
        let mut next = self.extensions.iter().map(|(kind, _)| *kind).chain([protocol]);
        let first = next.next().unwrap_or(protocol);
        let mut body = Vec::new();
        for ((_, header), kind) in self.extensions.iter().zip(next) {
            body.push(kind);
            body.extend(&header[1..]);
        }
        body.extend(payload);
        let mut packet = vec![0x60, 0, 0, 0];
        packet.extend(u16_of(body.len()).to_be_bytes());
        packet.extend([first, HOP_LIMIT]);
        packet.extend(self.source);
        packet.extend(self.destination);
        packet.extend(body);
        packet
    }
}

/// Offset, octets and whether it is the last, of each part of `size` octets.
fn parts(payload: &[u8], size: usize) -> impl Iterator<Item = (usize, &[u8], bool)> {
    assert!(size.is_multiple_of(8), "fragments are cut at multiples of eight octets");
    let last = payload.len().div_ceil(size) - 1;
    payload.chunks(size).enumerate().map(move |(index, part)| (index * size, part, index == last))
}

fn u16_of(length: usize) -> u16 {
    u16::try_from(length).expect("an IP packet is at most 65535 octets long")
}
