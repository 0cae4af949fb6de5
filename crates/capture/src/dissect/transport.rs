//! Transport headers: ports, TCP fields, ICMP type and identifier, and how long the payload is.

use netwatch_model::Protocol;

use super::link::{be16, be32};
use super::{Segment, Undissected};

/// What the transport header says.
#[derive(Clone, Copy, Debug, Default)]
pub struct Transport {
    /// Source port, or echo identifier.
    pub source_port: u16,
    /// Destination port, or echo identifier.
    pub destination_port: u16,
    /// ICMP type × 256 + code.
    pub icmp: u16,
    /// TCP fields.
    pub segment: Segment,
    /// Octets of the header, options included; never more than there are.
    pub header_octets: u32,
    /// Octets behind the header on the wire.
    pub payload_length: u32,
}

/// Parses the header at `at`; `left` octets of IP payload were on the wire.
///
/// # Errors
/// Ports or ICMP type are cut off.
#[inline]
pub fn parse(d: &[u8], at: usize, protocol: Protocol, left: u32) -> Result<Transport, Undissected> {
    let mut t = match protocol {
        Protocol::TCP => tcp(d, at)?,
        Protocol::ICMP => icmp(d, at, 8, 0)?,
        Protocol::ICMPV6 => icmp(d, at, 128, 129)?,
        p if p.has_ports() => {
            let length = if p == Protocol::SCTP { 12 } else { 8 };
            ports(d, at).map(|(source_port, destination_port)| Transport {
                source_port,
                destination_port,
                header_octets: length,
                ..Transport::default()
            })?
        }
        _ => Transport::default(),
    };
    t.header_octets = t.header_octets.min(left);
    t.payload_length = left - t.header_octets;
    Ok(t)
}

#[inline]
fn ports(d: &[u8], at: usize) -> Result<(u16, u16), Undissected> {
    let b: &[u8; 4] = d.get(at..).and_then(<[u8]>::first_chunk).ok_or(Undissected::TruncatedTransport)?;
    Ok((u16::from_be_bytes([b[0], b[1]]), u16::from_be_bytes([b[2], b[3]])))
}

/// RFC 9293.
#[inline]
fn tcp(d: &[u8], at: usize) -> Result<Transport, Undissected> {
    let Some(h) = d.get(at..).and_then(<[u8]>::first_chunk::<16>) else {
        let (source_port, destination_port) = ports(d, at)?;
        return Ok(Transport { source_port, destination_port, header_octets: 20, ..Transport::default() });
    };
    Ok(Transport {
        source_port: u16::from_be_bytes([h[0], h[1]]),
        destination_port: u16::from_be_bytes([h[2], h[3]]),
        icmp: 0,
        segment: Segment {
            seq: u32::from_be_bytes([h[4], h[5], h[6], h[7]]),
            ack: u32::from_be_bytes([h[8], h[9], h[10], h[11]]),
            window: u16::from_be_bytes([h[14], h[15]]),
            flags: h[13],
            complete: true,
        },
        header_octets: (u32::from(h[12] >> 4) * 4).max(20),
        payload_length: 0,
    })
}

/// RFC 792 and RFC 4443. Echo request and reply share an identifier, which stands in for both ports.
fn icmp(d: &[u8], at: usize, request: u8, reply: u8) -> Result<Transport, Undissected> {
    let kind = be16(d, at).ok_or(Undissected::TruncatedTransport)?;
    let [icmp_type, _] = kind.to_be_bytes();
    let echo = icmp_type == request || icmp_type == reply;
    let id = if echo { be32(d, at + 4).map_or(0, |w| u16::try_from(w >> 16).unwrap_or(0)) } else { 0 };
    Ok(Transport { source_port: id, destination_port: id, icmp: kind, header_octets: 8, ..Transport::default() })
}
