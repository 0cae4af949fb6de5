//! A flow record in few bytes: what identifies it ([`Head`]) and what it carried ([`Volume`]).
//!
//! Most values of most records are small. What does not fit into the small fields (more than 2^32 packets, round trips of four
//! seconds, retransmissions…) is in a [`Wide`] beside the row, so that nothing is ever rounded.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::time::Duration;

use netwatch_model::{
    Counters, EndReason, FlowId, FlowRecord, FlowState, NameSource, Protocol, TcpMetrics, Timestamp, Tunnel, VlanStack,
};

use super::texts::{Pages, TextId};

/// Two addresses: those of IPv4 in place, those of IPv6 (or of both) elsewhere.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Ends {
    /// Both are IPv4.
    V4(Ipv4Addr, Ipv4Addr),
    /// Anything else.
    Far(Arc<[IpAddr; 2]>),
}

impl Ends {
    /// These two.
    pub(crate) fn new(source: IpAddr, destination: IpAddr) -> Self {
        match (source, destination) {
            (IpAddr::V4(s), IpAddr::V4(d)) => Self::V4(s, d),
            (s, d) => Self::Far(Arc::new([s, d])),
        }
    }

    /// The initiator.
    pub(crate) fn source(&self) -> IpAddr {
        match self {
            Self::V4(source, _) => IpAddr::V4(*source),
            Self::Far(both) => both[0],
        }
    }

    /// The responder.
    pub(crate) fn destination(&self) -> IpAddr {
        match self {
            Self::V4(_, destination) => IpAddr::V4(*destination),
            Self::Far(both) => both[1],
        }
    }
}

/// The numbers of a record's texts.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) struct TextIds {
    pub(crate) interface: TextId,
    pub(crate) application: TextId,
    pub(crate) name: TextId,
    /// A number of the processes, not of the texts.
    pub(crate) process: TextId,
}

/// What identifies a record and is said of it.
#[derive(Clone, PartialEq, Debug)]
pub(crate) struct Head {
    pub(crate) id: FlowId,
    pub(crate) ends: Ends,
    pub(crate) texts: TextIds,
    pub(crate) tunnel: Option<Tunnel>,
    pub(crate) vlan: VlanStack,
    pub(crate) source_port: u16,
    pub(crate) destination_port: u16,
    pub(crate) icmp_id: u16,
    pub(crate) protocol: Protocol,
    pub(crate) name_source: Option<NameSource>,
}

impl Head {
    /// The head of a record whose texts have those numbers.
    pub(crate) fn new(r: &FlowRecord, texts: TextIds) -> Self {
        Self {
            id: r.id,
            ends: Ends::new(r.source, r.destination),
            texts,
            tunnel: r.tunnel,
            vlan: r.vlan,
            source_port: r.source_port,
            destination_port: r.destination_port,
            icmp_id: r.icmp_id,
            protocol: r.protocol,
            name_source: r.name.as_ref().map(|(_, source)| *source),
        }
    }
}

/// How the octets of the interface follow from those of the flow.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(crate) enum Crossing {
    /// Forward came in, reverse went out.
    Inward,
    /// Forward went out, reverse came in.
    Outward,
    /// All came in: a mirror port.
    AllIn,
    /// All went out.
    AllOut,
    /// All was seen in and out: loopback.
    Both,
    /// None of these.
    Mixed,
}

impl Crossing {
    const SIMPLE: [Self; 5] = [Self::Inward, Self::Outward, Self::AllIn, Self::AllOut, Self::Both];

    /// The first that fits.
    pub(crate) fn of(forward: u64, reverse: u64, interface: [u64; 2]) -> Self {
        Self::SIMPLE.into_iter().find(|c| c.octets(forward, reverse) == Some(interface)).unwrap_or(Self::Mixed)
    }

    /// In and out, unless [`Crossing::Mixed`].
    pub(crate) const fn octets(self, forward: u64, reverse: u64) -> Option<[u64; 2]> {
        let all = forward.saturating_add(reverse);
        Some(match self {
            Self::Inward => [forward, reverse],
            Self::Outward => [reverse, forward],
            Self::AllIn => [all, 0],
            Self::AllOut => [0, all],
            Self::Both => [all, all],
            Self::Mixed => return None,
        })
    }
}

/// What does not fit into the small fields.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Wide {
    counters: [Counters; 2],
    interface_octets: [u64; 2],
    tcp: Option<TcpMetrics>,
}

/// What a record carried.
#[derive(Clone, PartialEq, Debug)]
pub(crate) struct Volume {
    pub(crate) start: Timestamp,
    pub(crate) end: Timestamp,
    octets: [u64; 2],
    packets: [u32; 2],
    /// Layer-2 octets less octets.
    framing: [u32; 2],
    /// Server side, client side, response time: nanoseconds and one; zero for none.
    times: [u32; 3],
    /// The newest entry in the history; zero for none.
    pub(crate) history: u32,
    wide: Option<Box<Wide>>,
    flags: [u8; 2],
    is_tcp: bool,
    crossing: Crossing,
    pub(crate) state: FlowState,
    pub(crate) end_reason: Option<EndReason>,
}

/// What a record carried, in full-sized values.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(crate) struct Plain {
    pub(crate) start: Timestamp,
    pub(crate) end: Timestamp,
    /// Forward, reverse.
    pub(crate) counters: [Counters; 2],
    pub(crate) interface_octets: [u64; 2],
    pub(crate) tcp: Option<TcpMetrics>,
    pub(crate) state: FlowState,
    pub(crate) end_reason: Option<EndReason>,
    pub(crate) history: u32,
}

impl Plain {
    /// What a record carried; its history is none.
    pub(crate) const fn of(r: &FlowRecord) -> Self {
        Self {
            start: r.start,
            end: r.end,
            counters: [r.forward, r.reverse],
            interface_octets: r.interface_octets,
            tcp: r.tcp,
            state: r.state,
            end_reason: r.end_reason,
            history: 0,
        }
    }
}

impl Volume {
    /// The same in few bytes.
    pub(crate) fn new(plain: &Plain) -> Self {
        let octets = plain.counters.map(|c| c.octets);
        let crossing = Crossing::of(octets[0], octets[1], plain.interface_octets);
        let tcp = plain.tcp.unwrap_or_default();
        let times = [tcp.server_rtt, tcp.client_rtt, tcp.response_time].map(short_time);
        let framing = plain.counters.map(|c| c.l2_octets.checked_sub(c.octets).and_then(short));
        let packets = plain.counters.map(|c| short(c.packets));
        let fits = crossing != Crossing::Mixed
            && times.iter().all(Option::is_some)
            && framing.iter().chain(&packets).all(Option::is_some)
            && quality(&tcp) == [0; 8];
        let wide = || Wide { counters: plain.counters, interface_octets: plain.interface_octets, tcp: plain.tcp };
        Self {
            start: plain.start,
            end: plain.end,
            octets,
            packets: packets.map(Option::unwrap_or_default),
            framing: framing.map(Option::unwrap_or_default),
            times: times.map(Option::unwrap_or_default),
            history: plain.history,
            wide: (!fits).then(|| Box::new(wide())),
            flags: [tcp.flags, tcp.reverse_flags],
            is_tcp: plain.tcp.is_some(),
            crossing,
            state: plain.state,
            end_reason: plain.end_reason,
        }
    }

    /// Octets of both directions.
    #[inline]
    pub(crate) const fn octets(&self) -> u64 {
        self.octets[0].saturating_add(self.octets[1])
    }

    /// Packets of both directions.
    pub(crate) fn packets(&self) -> u64 {
        self.forward().packets.saturating_add(self.reverse().packets)
    }

    /// From the initiator.
    pub(crate) fn forward(&self) -> Counters {
        self.counters(0)
    }

    /// From the responder.
    pub(crate) fn reverse(&self) -> Counters {
        self.counters(1)
    }

    fn counters(&self, way: usize) -> Counters {
        if let Some(wide) = &self.wide {
            return wide.counters[way];
        }
        let octets = self.octets[way];
        Counters { packets: self.packets[way].into(), octets, l2_octets: octets + u64::from(self.framing[way]) }
    }

    /// How the octets of the interface follow from those of the flow.
    pub(crate) const fn crossing(&self) -> Crossing {
        self.crossing
    }

    /// In and out of the interface.
    pub(crate) fn interface_octets(&self) -> [u64; 2] {
        if let Some(wide) = &self.wide {
            return wide.interface_octets;
        }
        self.crossing.octets(self.octets[0], self.octets[1]).unwrap_or_default()
    }

    /// Present for TCP.
    pub(crate) fn tcp(&self) -> Option<TcpMetrics> {
        if let Some(wide) = &self.wide {
            return wide.tcp;
        }
        let time = |n: u32| n.checked_sub(1).map(|n| Duration::from_nanos(n.into()));
        self.is_tcp.then(|| TcpMetrics {
            flags: self.flags[0],
            reverse_flags: self.flags[1],
            server_rtt: time(self.times[0]),
            client_rtt: time(self.times[1]),
            response_time: time(self.times[2]),
            ..TcpMetrics::default()
        })
    }

    /// The record of this volume and that head.
    pub(crate) fn record(&self, head: &Head, words: &Words) -> FlowRecord {
        let name = words.text(head.texts.name).cloned().zip(head.name_source);
        FlowRecord {
            id: head.id,
            interface: words.text(head.texts.interface).cloned().unwrap_or_else(|| "".into()),
            source: head.ends.source(),
            destination: head.ends.destination(),
            source_port: head.source_port,
            destination_port: head.destination_port,
            protocol: head.protocol,
            icmp_id: head.icmp_id,
            vlan: head.vlan,
            tunnel: head.tunnel,
            start: self.start,
            end: self.end,
            forward: self.forward(),
            reverse: self.reverse(),
            interface_octets: self.interface_octets(),
            state: self.state,
            tcp: self.tcp(),
            end_reason: self.end_reason,
            application: words.text(head.texts.application).map_or("unknown", |t| t.raw()).into(),
            name,
            process: words.process(head.texts.process).cloned(),
            conversations: 1,
        }
    }
}

/// Texts and processes as they were at one time.
#[derive(Clone, Debug)]
pub(crate) struct Words {
    pub(crate) texts: Pages<netwatch_model::Untrusted>,
    pub(crate) processes: Pages<(Arc<netwatch_model::Process>, TextId)>,
}

impl Words {
    /// The text of that number.
    pub(crate) fn text(&self, id: TextId) -> Option<&netwatch_model::Untrusted> {
        self.texts.get(id)
    }

    /// The process of that number.
    pub(crate) fn process(&self, id: TextId) -> Option<&Arc<netwatch_model::Process>> {
        self.processes.get(id).map(|(process, _)| process)
    }

    /// The number of the name of that process.
    pub(crate) fn process_name(&self, id: TextId) -> TextId {
        self.processes.get(id).map_or(TextId::NONE, |(_, name)| *name)
    }
}

/// The counts of quality, in the order of [`with_quality`].
pub(crate) const fn quality(t: &TcpMetrics) -> [u32; 8] {
    [
        t.retransmitted,
        t.reverse_retransmitted,
        t.out_of_order,
        t.reverse_out_of_order,
        t.duplicates,
        t.reverse_duplicates,
        t.zero_windows,
        t.reverse_zero_windows,
    ]
}

/// The metrics with those counts of quality.
pub(crate) const fn with_quality(mut t: TcpMetrics, counts: [u32; 8]) -> TcpMetrics {
    [t.retransmitted, t.reverse_retransmitted, t.out_of_order, t.reverse_out_of_order, ..] = counts;
    [.., t.duplicates, t.reverse_duplicates, t.zero_windows, t.reverse_zero_windows] = counts;
    t
}

fn short(n: u64) -> Option<u32> {
    u32::try_from(n).ok()
}

/// Nanoseconds and one, zero for none; `None` when it does not fit.
fn short_time(time: Option<Duration>) -> Option<u32> {
    time.map_or(Some(0), |t| u32::try_from(t.as_nanos()).ok()?.checked_add(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_small() {
        assert!(size_of::<Head>() <= 72, "{}", size_of::<Head>());
        assert!(size_of::<Volume>() <= 80, "{}", size_of::<Volume>());
    }
}
