//! What talkers are grouped by.

use std::hash::{Hash, Hasher};
use std::net::IpAddr;

use netwatch_api::traffic::Dimension;
use netwatch_model::{Protocol, VlanStack};

use super::history::Carried;
use super::row::{Head, Words};
use super::texts::TextId;

/// A value of a dimension.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) enum Key {
    /// An address.
    Host(IpAddr),
    /// Two addresses, the smaller first.
    Pair(IpAddr, IpAddr),
    /// The responder's port.
    Port(Protocol, u16),
    /// An application, name, process name or interface.
    Text(TextId),
    /// VLAN identifiers; at least one.
    Vlan(VlanStack),
    /// A protocol.
    Protocol(Protocol),
}

impl Hash for Key {
    /// In few steps: keys are hashed nine times for each record.
    #[inline]
    fn hash<H: Hasher>(&self, to: &mut H) {
        match self {
            Self::Pair(IpAddr::V4(a), IpAddr::V4(b)) => {
                to.write_u64(u64::from(a.to_bits()) << 32 | u64::from(b.to_bits()));
            }
            Self::Pair(a, b) => {
                to.write_u128(number(*a));
                to.write_u128(number(*b));
            }
            Self::Host(IpAddr::V4(a)) => to.write_u32(a.to_bits()),
            Self::Host(a) => to.write_u128(number(*a)),
            Self::Port(protocol, port) => to.write_u32(u32::from(protocol.0) << 16 | u32::from(*port)),
            Self::Text(id) => to.write_u32(id.0),
            Self::Vlan(stack) => stack.hash(to),
            Self::Protocol(protocol) => to.write_u8(protocol.0),
        }
    }
}

fn number(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(a) => a.to_bits().into(),
        IpAddr::V6(a) => a.to_bits(),
    }
}

impl Key {
    /// A pair, whichever began.
    pub(crate) fn pair(a: IpAddr, b: IpAddr) -> Self {
        if a <= b { Self::Pair(a, b) } else { Self::Pair(b, a) }
    }
}

/// Dimensions that have keys (direction has none: it is in every sum).
pub(crate) const KEYED: [Dimension; 9] = [
    Dimension::Host,
    Dimension::Pair,
    Dimension::Port,
    Dimension::Application,
    Dimension::Process,
    Dimension::Name,
    Dimension::Vlan,
    Dimension::Protocol,
    Dimension::Interface,
];

/// What some flows carried.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) struct Tally {
    /// Octets of both directions.
    pub(crate) octets: u64,
    /// Packets of both directions.
    pub(crate) packets: u64,
    /// Received and sent: by the interface, or by the host where that is the key.
    pub(crate) ways: [u64; 2],
    /// Conversations that were new.
    pub(crate) fresh: u32,
    /// Conversations that had not carried anything yet in this second, ten seconds, minute.
    pub(crate) active: [u32; 3],
}

impl Tally {
    /// Adds the sums of another.
    pub(crate) const fn add(&mut self, other: &Self) {
        self.octets = self.octets.saturating_add(other.octets);
        self.packets = self.packets.saturating_add(other.packets);
        self.ways[0] = self.ways[0].saturating_add(other.ways[0]);
        self.ways[1] = self.ways[1].saturating_add(other.ways[1]);
        self.fresh = self.fresh.saturating_add(other.fresh);
        self.active[0] = self.active[0].saturating_add(other.active[0]);
        self.active[1] = self.active[1].saturating_add(other.active[1]);
        self.active[2] = self.active[2].saturating_add(other.active[2]);
    }

    /// The same with received and sent as a host sees them.
    pub(crate) const fn seen_by_host(mut self, received: u64, sent: u64) -> Self {
        self.ways = [received, sent];
        self
    }
}

/// The values of a flow in all dimensions.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Subjects {
    source: IpAddr,
    destination: IpAddr,
    port: Option<(Protocol, u16)>,
    protocol: Protocol,
    vlan: VlanStack,
    application: TextId,
    process: TextId,
    name: TextId,
    interface: TextId,
    /// Stands for several conversations: where they differ there is no value.
    mixed: bool,
}

impl Subjects {
    /// Those of a row.
    pub(crate) fn of(head: &Head, words: &Words) -> Self {
        Self::new(head, words.process_name(head.texts.process), false)
    }

    /// Those of a row whose process has a name of that number.
    pub(crate) fn new(head: &Head, process: TextId, mixed: bool) -> Self {
        Self {
            source: head.ends.source(),
            destination: head.ends.destination(),
            port: head.protocol.has_ports().then_some((head.protocol, head.destination_port)),
            protocol: head.protocol,
            vlan: head.vlan,
            application: head.texts.application,
            process,
            name: head.texts.name,
            interface: head.texts.interface,
            mixed,
        }
    }

    /// Whether this stands for several conversations.
    pub(crate) const fn is_mixed(&self) -> bool {
        self.mixed
    }

    /// Tells each key in that dimension with its share of `tally`; `carried` is from source and destination.
    pub(crate) fn tell(&self, by: Dimension, tally: &Tally, carried: &Carried, mut to: impl FnMut(Key, Tally)) {
        let text = |id: TextId| (!id.is_none()).then_some(Key::Text(id));
        let key = match by {
            Dimension::Host => {
                let [forward, reverse] = carried.octets;
                for (end, received, sent) in [(self.source, reverse, forward), (self.destination, forward, reverse)] {
                    if !(self.mixed && end.is_unspecified()) {
                        to(Key::Host(end), tally.seen_by_host(received, sent));
                    }
                }
                return;
            }
            Dimension::Pair => {
                let known = !(self.mixed && (self.source.is_unspecified() || self.destination.is_unspecified()));
                known.then(|| Key::pair(self.source, self.destination))
            }
            Dimension::Port => self
                .port
                .filter(|(_, port)| !(self.mixed && *port == 0))
                .map(|(protocol, port)| Key::Port(protocol, port)),
            Dimension::Protocol => (!(self.mixed && self.protocol.0 == 0)).then_some(Key::Protocol(self.protocol)),
            Dimension::Vlan => (!self.vlan.is_empty()).then_some(Key::Vlan(self.vlan)),
            Dimension::Application => text(self.application),
            Dimension::Process => text(self.process),
            Dimension::Name => text(self.name),
            Dimension::Interface => text(self.interface),
            Dimension::Direction => None,
        };
        if let Some(key) = key {
            to(key, *tally);
        }
    }
}
