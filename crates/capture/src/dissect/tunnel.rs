//! One level of tunnel: GRE (RFC 2784, 2890), VXLAN (RFC 7348), IP in IP (RFC 2003, 4213, 2473).
//!
//! The packet inside becomes a flow of its own, marked with its tunnel; its octets are part of the outer packet's and the two are
//! never added together.

use netwatch_model::{Protocol, Tunnel, TunnelKind, VlanStack};

use super::context::Contexts;
use super::link::{be16, be32};
use super::{Layer, Packet, ip};
use crate::frame::{Frame, LinkType};

/// IANA port of VXLAN, and the one that Linux used before.
pub(super) const VXLAN_PORTS: [u16; 2] = [4789, 8472];

/// Where the packet inside begins.
struct Inside {
    tunnel: Tunnel,
    /// Offset of the inner frame or packet.
    at: usize,
    /// Whether an Ethernet frame is inside.
    ethernet: bool,
}

/// The packet inside `packet`, if it is a tunnel that we know and the inside is whole enough.
#[must_use]
#[inline]
pub fn inside(
    packet: &Packet,
    layer: &Layer<'_>,
    frame: &Frame<'_>,
    vlan: &VlanStack,
    contexts: &mut Contexts,
) -> Option<Packet> {
    let transport_at = || transport_at(packet, layer);
    let inside = match packet.protocol {
        Protocol::TCP => return None,
        Protocol::UDP => {
            if !VXLAN_PORTS.contains(&packet.destination_port) {
                return None;
            }
            vxlan(layer.data, usize::from(packet.payload_at))?
        }
        Protocol::GRE => gre(layer.data, transport_at()?)?,
        Protocol::IPIP | Protocol::IPV6 => {
            let tunnel = Tunnel { kind: TunnelKind::Ipip, id: 0 };
            Inside { tunnel, at: transport_at()?, ethernet: false }
        }
        _ => return None,
    };
    // Padding of the outer frame belongs to the outer packet only.
    let wire_left = if frame.segment_size == 0 { packet.amount.octets } else { layer.wire_left };
    inner_packet(&inside, &Layer { wire_left, ..*layer }, frame, vlan, contexts)
}

/// Protocols without a transport header of ours: their payload begins where the IP header ends.
fn transport_at(packet: &Packet, layer: &Layer<'_>) -> Option<usize> {
    let at = usize::from(packet.payload_at);
    (at > usize::from(layer.at)).then_some(at)
}

fn vxlan(d: &[u8], at: usize) -> Option<Inside> {
    if at == 0 || d.get(at)? & 0x08 == 0 {
        return None;
    }
    let id = be32(d, at + 4)? >> 8;
    Some(Inside { tunnel: Tunnel { kind: TunnelKind::Vxlan, id }, at: at + 8, ethernet: true })
}

fn gre(d: &[u8], at: usize) -> Option<Inside> {
    let flags = be16(d, at)?;
    let kind = be16(d, at + 2)?;
    // Version 0 without source routing; checksum, key and sequence number are 4 octets each.
    if flags & 0x4007 != 0 {
        return None;
    }
    let mut next = at + 4;
    if flags & 0x8000 != 0 {
        next += 4;
    }
    let mut id = 0;
    if flags & 0x2000 != 0 {
        id = be32(d, next)?;
        next += 4;
    }
    if flags & 0x1000 != 0 {
        next += 4;
    }
    let ethernet = match kind {
        0x0800 | 0x86dd => false,
        0x6558 => true,
        _ => return None,
    };
    Some(Inside { tunnel: Tunnel { kind: TunnelKind::Gre, id }, at: next, ethernet })
}

fn inner_packet(
    inside: &Inside,
    outer: &Layer<'_>,
    frame: &Frame<'_>,
    vlan: &VlanStack,
    contexts: &mut Contexts,
) -> Option<Packet> {
    let before = u32::try_from(inside.at.checked_sub(usize::from(outer.at))?).ok()?;
    let wire = outer.wire_left.checked_sub(before)?;
    let mut link_octets = 0;
    let mut at = inside.at;
    if inside.ethernet {
        let inner =
            Frame { data: frame.data.get(at..)?, wire_length: wire, tag: None, link: LinkType::Ethernet, ..*frame };
        let link = super::link::parse(&inner).ok()?;
        link_octets = u32::from(link.payload_at);
        at += usize::from(link.payload_at);
    }
    let layer = Layer {
        data: frame.data,
        at: u16::try_from(at).ok()?,
        wire_left: wire.checked_sub(link_octets)?,
        link_octets,
        inner: true,
    };
    let context = contexts.tunnel(frame.interface, vlan, inside.tunnel);
    match ip::parse(&layer, frame, context) {
        Ok((packet, None)) => Some(packet),
        _ => None,
    }
}
