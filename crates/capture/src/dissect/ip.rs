//! IPv4 (RFC 791) and IPv6 (RFC 8200) with its extension headers and fragments.
//!
//! Octets are those that the header states (`total length`, 40 + `payload length`), but never more than the wire carried: a header
//! that claims more than the frame has is counted by the frame. A total length of zero in IPv4, and a jumbogram, mean what the frame has.

use netwatch_model::Protocol;

use super::link::{be16, be32, be128};
use super::transport::{self, Transport};
use super::{Addresses, Amount, FragmentId, Layer, Packet, Undissected, segments};
use crate::dissect::context::ContextId;
use crate::frame::Frame;

/// Extension headers that are looked through; a longer chain is counted as damaged.
pub const MAX_EXTENSIONS: usize = 16;

/// What the IP header says.
struct Header {
    addresses: Addresses,
    protocol: Protocol,
    /// Where the transport header begins.
    transport_at: usize,
    /// Stated IP octets.
    octets: u32,
    fragment: Option<FragmentId>,
}

/// Parses the IP packet at `layer`.
///
/// # Errors
/// The header is cut or contradicts itself, or the ports are cut.
#[inline]
pub fn parse(
    layer: &Layer<'_>,
    frame: &Frame<'_>,
    context: ContextId,
) -> Result<(Packet, Option<FragmentId>), Undissected> {
    let at = usize::from(layer.at);
    let header = match layer.data.get(at).map(|b| b >> 4) {
        Some(4) => ipv4(layer, at)?,
        Some(6) => ipv6(layer, at, frame.segment_size)?,
        _ => return Err(Undissected::BadIp),
    };
    let later = header.fragment.is_some_and(|f| !f.first);
    let ip_header = u32::try_from(header.transport_at - at).unwrap_or(u32::MAX);
    let transport = if later {
        Transport::default()
    } else {
        transport::parse(layer.data, header.transport_at, header.protocol, header.octets.saturating_sub(ip_header))?
    };
    let count = if later { 1 } else { segments(transport.payload_length, frame.segment_size) };
    let copied = ip_header.saturating_add(transport.header_octets);
    let more = count - 1;
    let padding = layer.wire_left.saturating_sub(header.octets);
    let amount = Amount {
        packets: count,
        octets: header.octets.saturating_add(more.saturating_mul(copied)),
        l2_octets: header
            .octets
            .saturating_add(padding)
            .saturating_add(layer.link_octets)
            .saturating_add(more.saturating_mul(copied.saturating_add(layer.link_octets))),
    };
    let payload_at = header.transport_at + transport.header_octets as usize;
    let packet = Packet {
        time: frame.time.nanos(),
        addresses: header.addresses,
        source_port: transport.source_port,
        destination_port: transport.destination_port,
        context,
        protocol: header.protocol,
        direction: frame.direction,
        interface: frame.interface,
        counted: layer.inner,
        icmp: transport.icmp,
        segment: transport.segment,
        amount,
        payload_length: transport.payload_length,
        payload_at: if payload_at < layer.data.len() { u16::try_from(payload_at).unwrap_or(0) } else { 0 },
    };
    Ok((packet, header.fragment))
}

#[inline]
fn ipv4(layer: &Layer<'_>, at: usize) -> Result<Header, Undissected> {
    let h: &[u8; 20] = layer.data.get(at..).and_then(<[u8]>::first_chunk).ok_or(Undissected::BadIp)?;
    let header_octets = usize::from(h[0] & 0x0f) * 4;
    let stated = u32::from(u16::from_be_bytes([h[2], h[3]]));
    let octets = if stated == 0 { layer.wire_left } else { stated.min(layer.wire_left) };
    if header_octets < 20 || (octets as usize) < header_octets {
        return Err(Undissected::BadIp);
    }
    let word = u16::from_be_bytes([h[6], h[7]]);
    let (more, offset) = (word & 0x2000 != 0, word & 0x1fff);
    let id = u32::from(u16::from_be_bytes([h[4], h[5]]));
    Ok(Header {
        addresses: Addresses::V4(
            u32::from_be_bytes([h[12], h[13], h[14], h[15]]),
            u32::from_be_bytes([h[16], h[17], h[18], h[19]]),
        ),
        protocol: Protocol(h[9]),
        transport_at: at + header_octets,
        octets,
        fragment: (more || offset != 0).then_some(FragmentId { id, first: offset == 0 }),
    })
}

fn ipv6(layer: &Layer<'_>, at: usize, segment_size: u16) -> Result<Header, Undissected> {
    let d = layer.data;
    let cut = Undissected::BadIp;
    let (source, destination) = (be128(d, at + 8).ok_or(cut)?, be128(d, at + 24).ok_or(cut)?);
    let stated = u32::from(be16(d, at + 4).ok_or(cut)?);
    // A jumbogram (RFC 2675) has a hop-by-hop header; Linux leaves the length of large super-frames out.
    let unstated = stated == 0 && (d.get(at + 6) == Some(&0) || segment_size != 0);
    let octets = if unstated { layer.wire_left } else { (40 + stated).min(layer.wire_left) };
    if octets < 40 {
        return Err(cut);
    }
    let mut header = Header {
        addresses: Addresses::V6(source, destination),
        protocol: Protocol(*d.get(at + 6).ok_or(cut)?),
        transport_at: at + 40,
        octets,
        fragment: None,
    };
    extensions(d, &mut header)?;
    if header.transport_at - at > octets as usize {
        return Err(cut);
    }
    Ok(header)
}

/// Walks hop-by-hop, routing, destination options, fragment, authentication (RFC 4302), mobility, HIP and Shim6 headers.
fn extensions(d: &[u8], header: &mut Header) -> Result<(), Undissected> {
    for _ in 0..MAX_EXTENSIONS {
        let at = header.transport_at;
        let length = match header.protocol.0 {
            0 | 43 | 60 | 135 | 139 | 140 => 8 + 8 * usize::from(*d.get(at + 1).ok_or(Undissected::BadIp)?),
            51 => 8 + 4 * usize::from(*d.get(at + 1).ok_or(Undissected::BadIp)?),
            44 => {
                let word = be16(d, at + 2).ok_or(Undissected::BadIp)?;
                let id = be32(d, at + 4).ok_or(Undissected::BadIp)?;
                // An "atomic" fragment (RFC 6946) is a whole datagram.
                if word & 0xfff9 != 0 {
                    header.fragment = Some(FragmentId { id, first: word & 0xfff8 == 0 });
                }
                8
            }
            _ => return Ok(()),
        };
        header.protocol = Protocol(*d.get(at).ok_or(Undissected::BadIp)?);
        header.transport_at = at + length;
        if header.fragment.is_some_and(|f| !f.first) {
            return Ok(());
        }
    }
    Err(Undissected::BadIp)
}
