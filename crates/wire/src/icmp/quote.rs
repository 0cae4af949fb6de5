//! The start of the packet that caused an error: addresses, protocol, and what is left of its transport.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::reader::Reader;

/// The start of a packet, as an error quotes it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Quote<'a> {
    /// Who sent it, after address translation.
    pub source: IpAddr,
    /// Where it should go.
    pub destination: IpAddr,
    /// IP protocol; the next header of IPv6.
    pub protocol: u8,
    /// Time to live (hop limit) that it had where it ended.
    pub ttl: u8,
    /// What follows the IP header; at least 8 octets in a router that follows RFC 792.
    pub transport: &'a [u8],
}

/// What is quoted of an echo request.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct EchoQuote<'a> {
    /// Its identifier.
    pub identifier: u16,
    /// Its sequence number.
    pub sequence: u16,
    /// Its data, as far as quoted.
    pub data: &'a [u8],
}

/// What is quoted of a UDP datagram.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct UdpQuote<'a> {
    /// Its source port.
    pub source: u16,
    /// Its destination port.
    pub destination: u16,
    /// Its checksum.
    pub checksum: u16,
    /// Its data, as far as quoted.
    pub data: &'a [u8],
}

/// What is quoted of a TCP segment.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct TcpQuote {
    /// Its source port.
    pub source: u16,
    /// Its destination port.
    pub destination: u16,
    /// Its sequence number.
    pub sequence: u32,
}

impl<'a> Quote<'a> {
    /// Reads an IPv4 packet that may be cut behind its header. `None` for fragments but the first: they have no transport header.
    #[must_use]
    pub fn v4(packet: &'a [u8]) -> Option<Self> {
        let mut reader = Reader::new(packet);
        let [first, _, _, _, _, _, flags, fragment, ttl, protocol, _, _] = reader.array::<12>()?;
        let words = usize::from(first & 0x0f);
        if first >> 4 != 4 || words < 5 || (flags & 0x1f, fragment) != (0, 0) {
            return None;
        }
        let source = Ipv4Addr::from(reader.array::<4>()?).into();
        let destination = Ipv4Addr::from(reader.array::<4>()?).into();
        reader.take((words - 5) * 4)?;
        Some(Self { source, destination, protocol, ttl, transport: reader.rest() })
    }

    /// Reads an IPv6 packet that may be cut behind its header. Extension headers are not followed: probes send none.
    #[must_use]
    pub fn v6(packet: &'a [u8]) -> Option<Self> {
        let mut reader = Reader::new(packet);
        let [first, _, _, _, _, _, protocol, ttl] = reader.array::<8>()?;
        if first >> 4 != 6 {
            return None;
        }
        let source = Ipv6Addr::from(reader.array::<16>()?).into();
        let destination = Ipv6Addr::from(reader.array::<16>()?).into();
        Some(Self { source, destination, protocol, ttl, transport: reader.rest() })
    }

    /// The packet as an echo request.
    #[must_use]
    pub fn echo(&self) -> Option<EchoQuote<'a>> {
        let mut reader = Reader::new(self.transport);
        let [kind, code, _, _] = reader.array::<4>()?;
        let request = matches!((self.protocol, kind), (super::PROTOCOL_V4, 8) | (super::PROTOCOL_V6, 128));
        if !request || code != 0 {
            return None;
        }
        Some(EchoQuote { identifier: reader.u16()?, sequence: reader.u16()?, data: reader.rest() })
    }

    /// The packet as a UDP datagram.
    #[must_use]
    pub fn udp(&self) -> Option<UdpQuote<'a>> {
        let mut reader = Reader::new(self.transport);
        let (source, destination) = (reader.u16()?, reader.u16()?);
        let [_, _, high, low] = reader.array::<4>()?;
        let checksum = u16::from_be_bytes([high, low]);
        (self.protocol == 17).then(|| UdpQuote { source, destination, checksum, data: reader.rest() })
    }

    /// The packet as a TCP segment.
    #[must_use]
    pub fn tcp(&self) -> Option<TcpQuote> {
        let mut reader = Reader::new(self.transport);
        let quote = TcpQuote { source: reader.u16()?, destination: reader.u16()?, sequence: reader.u32()? };
        (self.protocol == 6).then_some(quote)
    }
}
