//! Asking a filter about a subject: nothing is allocated.

use std::net::IpAddr;

use super::ast::{Condition, Expr, Test};
use super::field::{Kind, reason_index};
use super::{Field, Subject};
use crate::{NameSource, Protocol, TcpMetrics, Timestamp};

pub(super) fn expr<S: Subject + ?Sized>(tree: &Expr, subject: &S) -> bool {
    match tree {
        Expr::And(list) => list.iter().all(|e| expr(e, subject)),
        Expr::Or(list) => list.iter().any(|e| expr(e, subject)),
        Expr::Not(inner) => !expr(inner, subject),
        Expr::Test(test) => test_holds(test, subject) != test.negated,
    }
}

fn test_holds<S: Subject + ?Sized>(test: &Test, s: &S) -> bool {
    let condition = &test.condition;
    match test.field.descriptor().kind {
        Kind::Address => match test.field {
            Field::Source => s.source().is_some_and(|a| address(condition, a)),
            Field::Destination => s.destination().is_some_and(|a| address(condition, a)),
            _ => [s.source(), s.destination()].into_iter().flatten().any(|a| address(condition, a)),
        },
        kind @ (Kind::Name | Kind::Text) => {
            text_of(test.field, s).is_some_and(|t| text(condition, t, matches!(kind, Kind::Name)))
        }
        _ => match test.field {
            Field::Port => {
                s.protocol().is_none_or(Protocol::has_ports)
                    && [s.source_port(), s.destination_port()]
                        .into_iter()
                        .flatten()
                        .any(|p| number(condition, p.into()))
            }
            Field::Vlan => s.vlan().iter().any(|id| number(condition, (*id).into())),
            field => number_of(field, s).is_some_and(|n| number(condition, n)),
        },
    }
}

fn address(condition: &Condition, address: IpAddr) -> bool {
    match condition {
        Condition::Present => true,
        Condition::Networks(list) => list.iter().any(|n| n.contains(address)),
        _ => false,
    }
}

fn number(condition: &Condition, n: u64) -> bool {
    match condition {
        Condition::Present => true,
        Condition::Number(comparison, value) => comparison.holds(n, *value),
        Condition::Ranges(list) => list.iter().any(|(low, high)| (*low..=*high).contains(&n)),
        _ => false,
    }
}

fn text(condition: &Condition, text: &str, any_case: bool) -> bool {
    match condition {
        Condition::Present => true,
        Condition::Texts(list) if any_case => list.iter().any(|t| t.eq_ignore_ascii_case(text)),
        Condition::Texts(list) => list.iter().any(|t| t == text),
        Condition::Like(glob) => glob.matches(text),
        _ => false,
    }
}

fn text_of<S: Subject + ?Sized>(field: Field, s: &S) -> Option<&str> {
    let named = |wanted: &[NameSource]| s.name().filter(|(_, source)| wanted.contains(source)).map(|(name, _)| name);
    match field {
        Field::Application => s.application(),
        Field::Name => s.name().map(|(name, _)| name),
        Field::Sni => named(&[NameSource::Tls, NameSource::Quic]),
        Field::Dns => named(&[NameSource::Dns]),
        Field::HttpHost => named(&[NameSource::Http]),
        Field::Process => s.process(),
        Field::User => s.user(),
        Field::Container => s.container(),
        Field::Interface => s.interface(),
        _ => None,
    }
}

fn number_of<S: Subject + ?Sized>(field: Field, s: &S) -> Option<u64> {
    match field {
        Field::SourcePort => s.source_port().map(u64::from),
        Field::DestinationPort => s.destination_port().map(u64::from),
        Field::Protocol => s.protocol().map(|p| p.0.into()),
        Field::IcmpType => icmp(s).map(|n| n >> 8),
        Field::IcmpCode => icmp(s).map(|n| n & 0xff),
        Field::Tunnel => s.tunnel().map(|t| t.kind as u64),
        Field::TunnelId => s.tunnel().map(|t| t.id.into()),
        Field::NameSource => s.name().map(|(_, source)| source as u64),
        Field::Pid => s.pid().map(u64::from),
        Field::State => s.state().map(|state| state as u64),
        Field::EndReason => s.end_reason().map(reason_index),
        Field::Id => s.id().map(crate::FlowId::bits),
        Field::Start => s.start().map(nanos),
        Field::End => s.end().map(nanos),
        Field::Duration => duration(s),
        _ => volume(field, s).or_else(|| s.tcp().and_then(|tcp| quality(field, &tcp))),
    }
}

fn volume<S: Subject + ?Sized>(field: Field, s: &S) -> Option<u64> {
    let total = || Some(s.forward()?.plus(s.reverse()?));
    match field {
        Field::Bytes => total().map(|c| c.octets),
        Field::ForwardBytes => s.forward().map(|c| c.octets),
        Field::ReverseBytes => s.reverse().map(|c| c.octets),
        Field::BytesIn => s.interface_octets().map(|o| o[0]),
        Field::BytesOut => s.interface_octets().map(|o| o[1]),
        Field::Packets => total().map(|c| c.packets),
        Field::ForwardPackets => s.forward().map(|c| c.packets),
        Field::ReversePackets => s.reverse().map(|c| c.packets),
        Field::Rate => Some(rate(total()?.octets, duration(s)?)),
        _ => None,
    }
}

fn quality(field: Field, t: &TcpMetrics) -> Option<u64> {
    let both = |a: u32, b: u32| Some(u64::from(a) + u64::from(b));
    let span = |d: std::time::Duration| u64::try_from(d.as_nanos()).unwrap_or(u64::MAX);
    match field {
        Field::Rtt => Some(span(t.server_rtt?).saturating_add(span(t.client_rtt?))),
        Field::ServerRtt => t.server_rtt.map(span),
        Field::ClientRtt => t.client_rtt.map(span),
        Field::ResponseTime => t.response_time.map(span),
        Field::Retransmitted => both(t.retransmitted, t.reverse_retransmitted),
        Field::OutOfOrder => both(t.out_of_order, t.reverse_out_of_order),
        Field::Duplicates => both(t.duplicates, t.reverse_duplicates),
        Field::ZeroWindows => both(t.zero_windows, t.reverse_zero_windows),
        _ => None,
    }
}

/// Type and code of an ICMP flow.
fn icmp<S: Subject + ?Sized>(s: &S) -> Option<u64> {
    matches!(s.protocol()?, Protocol::ICMP | Protocol::ICMPV6).then(|| s.destination_port().map(u64::from))?
}

fn duration<S: Subject + ?Sized>(s: &S) -> Option<u64> {
    Some(u64::try_from(s.end()?.since(s.start()?).as_nanos()).unwrap_or(u64::MAX))
}

/// Bits per second over at least one second.
fn rate(octets: u64, nanos: u64) -> u64 {
    let bits = u128::from(octets) * 8 * 1_000_000_000;
    u64::try_from(bits / u128::from(nanos.max(1_000_000_000))).unwrap_or(u64::MAX)
}

/// Times before 1970 count as 1970.
fn nanos(time: Timestamp) -> u64 {
    u64::try_from(time.nanos()).unwrap_or(0)
}
