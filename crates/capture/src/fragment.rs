//! Fragments: only the first of a datagram has ports.
//!
//! All fragments of a datagram belong to the flow of the first. Those that come before it wait here as a sum and are credited when it
//! arrives (the interface's counters have them at once); those whose first fragment never comes go to a counter. The table holds [`Fragments::MAX`] datagrams for at most
//! [`Fragments::PATIENCE`] of packet time (RFC 791 suggests 15 s at least); the oldest gives way.

use std::collections::VecDeque;
use std::time::Duration;

use hashbrown::HashMap;
use netwatch_model::Protocol;

use crate::dissect::context::ContextId;
use crate::dissect::{Addresses, Amount, FragmentId, Packet};

/// Identity of a datagram: RFC 791 and RFC 8200 4.5.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
struct Datagram {
    addresses: [u128; 2],
    protocol: Protocol,
    id: u32,
    context: ContextId,
}

#[derive(Clone, Copy, Debug)]
enum Known {
    /// The first fragment was seen: ports and ICMP type.
    First { ports: [u16; 2], icmp: u16 },
    /// Later fragments that wait; the packet stands for their sum.
    Waiting(Packet),
}

/// What to do with a fragment.
#[derive(Clone, Copy, Debug)]
pub enum Placed {
    /// Count this packet.
    Count(Packet),
    /// Count these: first what has waited, then this.
    CountBoth(Packet, Packet),
    /// Nothing yet.
    Wait,
}

/// Datagrams in fragments.
#[derive(Debug, Default)]
pub struct Fragments {
    known: HashMap<Datagram, Known, foldhash::fast::RandomState>,
    order: VecDeque<(i64, Datagram)>,
    lost: Amount64,
}

/// Sums that do not overflow.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Amount64 {
    /// Packets.
    pub packets: u64,
    /// IP octets.
    pub octets: u64,
}

impl Fragments {
    /// Datagrams remembered at once.
    pub const MAX: usize = 8192;
    /// How long a datagram is remembered.
    pub const PATIENCE: Duration = Duration::from_secs(30);

    /// Finds the flow of a fragment.
    pub fn place(&mut self, packet: Packet, fragment: FragmentId) -> Placed {
        self.expire(packet.time);
        let key = datagram(&packet, fragment.id);
        let known = self.known.get(&key).copied();
        if fragment.first {
            let first = Known::First { ports: [packet.source_port, packet.destination_port], icmp: packet.icmp };
            self.remember(key, first, packet.time, known.is_none());
            return match known {
                Some(Known::Waiting(sum)) => Placed::CountBoth(with_ports(sum, first), packet),
                _ => Placed::Count(packet),
            };
        }
        match known {
            Some(first @ Known::First { .. }) => Placed::Count(with_ports(packet, first)),
            Some(Known::Waiting(sum)) => {
                self.known.insert(key, Known::Waiting(add(sum, packet.amount)));
                Placed::Wait
            }
            None => {
                self.remember(key, Known::Waiting(Packet { counted: true, ..packet }), packet.time, true);
                Placed::Wait
            }
        }
    }

    /// Fragments whose first fragment never came, those that still wait included.
    #[must_use]
    pub fn unknown(&self) -> Amount64 {
        self.known.values().fold(self.lost, |sum, known| match known {
            Known::Waiting(p) => sum.plus(p.amount),
            Known::First { .. } => sum,
        })
    }

    /// Forgets datagrams that are too old at `now`.
    pub fn expire(&mut self, now: i64) {
        let patience = i64::try_from(Self::PATIENCE.as_nanos()).unwrap_or(i64::MAX);
        while self.order.front().is_some_and(|(t, _)| now.saturating_sub(*t) > patience) {
            self.forget_oldest();
        }
    }

    fn remember(&mut self, key: Datagram, known: Known, time: i64, new: bool) {
        if new {
            if self.order.len() >= Self::MAX {
                self.forget_oldest();
            }
            self.order.push_back((time, key));
        }
        self.known.insert(key, known);
    }

    fn forget_oldest(&mut self) {
        if let Some((_, key)) = self.order.pop_front()
            && let Some(Known::Waiting(p)) = self.known.remove(&key)
        {
            self.lost = self.lost.plus(p.amount);
        }
    }
}

impl Amount64 {
    fn plus(self, a: Amount) -> Self {
        Self { packets: self.packets + u64::from(a.packets), octets: self.octets + u64::from(a.octets) }
    }
}

fn datagram(p: &Packet, id: u32) -> Datagram {
    let addresses = match p.addresses {
        Addresses::V4(s, d) => [u128::from(s), u128::from(d)],
        Addresses::V6(s, d) => [s, d],
    };
    Datagram { addresses, protocol: p.protocol, id, context: p.context }
}

fn with_ports(mut packet: Packet, first: Known) -> Packet {
    if let Known::First { ports: [source, destination], icmp } = first {
        packet.source_port = source;
        packet.destination_port = destination;
        packet.icmp = icmp;
    }
    packet
}

fn add(mut sum: Packet, more: Amount) -> Packet {
    sum.amount.packets = sum.amount.packets.saturating_add(more.packets);
    sum.amount.octets = sum.amount.octets.saturating_add(more.octets);
    sum.amount.l2_octets = sum.amount.l2_octets.saturating_add(more.l2_octets);
    sum
}
