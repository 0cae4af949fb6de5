//! Sealing: rows to columns.

use std::net::IpAddr;

use foldhash::fast::RandomState;
use hashbrown::HashMap;
use netwatch_model::{Counters, Timestamp};

use super::column::{Coded, Packed, Places, Sparse};
use super::{Addresses, Kind, Segment, Zone, order};
use crate::store::row::{Crossing, Head, Plain, Volume, quality};

/// Octets of an Ethernet header, which nearly every frame has.
pub(super) const HEADER: u64 = 14;

impl Segment {
    /// Seals rows, at most [`StoreConfig::MAX_SEGMENT_ROWS`](crate::store::StoreConfig::MAX_SEGMENT_ROWS).
    pub(crate) fn seal(number: u32, rows: &[(&Head, &Volume)]) -> Self {
        let plain: Vec<Plain> = rows.iter().map(|(_, volume)| volume.plain()).collect();
        let head = |f: fn(&Head) -> u64| Packed::new(&rows.iter().map(|(head, _)| f(head)).collect::<Vec<_>>());
        let number_of = |f: &dyn Fn(&Plain) -> u64| Packed::new(&plain.iter().map(f).collect::<Vec<_>>());
        let pair = |f: fn(&Counters) -> u64| [0, 1].map(|way| number_of(&|p: &Plain| f(&p.counters[way])));
        let text = |f: fn(&Head) -> crate::store::texts::TextId| Coded::new(rows.iter().map(|(head, _)| f(head)));
        let (addresses, source, destination) = addresses(rows);
        let (source_port, destination_port): (Vec<u16>, Vec<u16>) =
            rows.iter().map(|(head, _)| (head.source_port, head.destination_port)).unzip();
        Self {
            number,
            rows: rows.len(),
            zone: Zone::of(&plain),
            addresses,
            source,
            destination,
            ports: port_bits(&source_port, &destination_port),
            source_port: source_port.into_boxed_slice(),
            destination_port: destination_port.into_boxed_slice(),
            kind: Coded::new(rows.iter().zip(&plain).map(|((head, _), plain)| Kind::of(head, plain))),
            interface: text(|h| h.texts.interface),
            application: text(|h| h.texts.application),
            name: text(|h| h.texts.name),
            process: text(|h| h.texts.process),
            vlan: Coded::new(rows.iter().map(|(head, _)| head.vlan)),
            tunnel: Coded::new(rows.iter().map(|(head, _)| head.tunnel)),
            icmp_id: head(|h| h.icmp_id.into()),
            worker_slot: head(|h| h.id.bits() >> 32),
            generation: head(|h| h.id.bits() & u64::from(u32::MAX)),
            end: number_of(&|p| order::ordered_time(p.end)),
            duration: number_of(&|p| order::ordered_time(p.end).wrapping_sub(order::ordered_time(p.start))),
            octets: pair(|c| c.octets),
            packets: pair(|c| c.packets),
            framing: pair(|c| zigzag(framing(c))),
            interface_octets: Sparse::new(&plain.iter().map(mixed).collect::<Vec<_>>()),
            times: times(&plain),
            quality: Sparse::new(&plain.iter().map(counts).collect::<Vec<_>>()),
            history: Sparse::new(
                &plain.iter().map(|p| (p.history != 0).then(|| [p.history.into()])).collect::<Vec<_>>(),
            ),
            orders: super::Orders::default(),
        }
    }
}

impl Kind {
    fn of(head: &Head, plain: &Plain) -> Self {
        let octets = plain.counters.map(|c| c.octets);
        let tcp = plain.tcp.unwrap_or_default();
        Self {
            protocol: head.protocol,
            state: plain.state,
            end_reason: plain.end_reason,
            name_source: head.name_source,
            crossing: Crossing::of(octets[0], octets[1], plain.interface_octets),
            is_tcp: plain.tcp.is_some(),
            flags: [tcp.flags, tcp.reverse_flags],
        }
    }
}

impl Zone {
    fn of(rows: &[Plain]) -> Self {
        let none = Self {
            first_start: Timestamp::MAX,
            last_start: Timestamp::from_nanos(i64::MIN),
            first_end: Timestamp::MAX,
            last_end: Timestamp::from_nanos(i64::MIN),
        };
        rows.iter().fold(none, |z, p| Self {
            first_start: z.first_start.min(p.start),
            last_start: z.last_start.max(p.start),
            first_end: z.first_end.min(p.end),
            last_end: z.last_end.max(p.end),
        })
    }
}

/// All addresses in order, and the places of sources and destinations among them.
fn addresses(rows: &[(&Head, &Volume)]) -> (Addresses, Places, Places) {
    let mut numbers: HashMap<IpAddr, u16, RandomState> = HashMap::default();
    let mut number = |address| {
        let next = u16::try_from(numbers.len()).unwrap_or(u16::MAX);
        *numbers.entry(address).or_insert(next)
    };
    let (mut source, mut destination): (Vec<u16>, Vec<u16>) =
        rows.iter().map(|(head, _)| (number(head.ends.source()), number(head.ends.destination()))).unzip();
    let mut sorted: Vec<(IpAddr, u16)> = numbers.into_iter().collect();
    sorted.sort_unstable();
    let mut places = vec![0_u16; sorted.len()];
    for (place, (_, number)) in sorted.iter().enumerate() {
        places[usize::from(*number)] = u16::try_from(place).unwrap_or(u16::MAX);
    }
    source.iter_mut().chain(&mut destination).for_each(|n| *n = places[usize::from(*n)]);
    let sorted: Vec<IpAddr> = sorted.into_iter().map(|(address, _)| address).collect();
    let count = sorted.len();
    (Addresses::new(&sorted), Places::new(source, count), Places::new(destination, count))
}

fn port_bits(source: &[u16], destination: &[u16]) -> Box<[u64]> {
    let mut bits = vec![0_u64; 1024];
    for port in source.iter().chain(destination) {
        bits[usize::from(*port) / 64] |= 1 << (port % 64);
    }
    bits.into_boxed_slice()
}

fn times(rows: &[Plain]) -> [Sparse<1>; 3] {
    let column = |n: usize| {
        let of = |p: &Plain| {
            let tcp = p.tcp?;
            let time = [tcp.server_rtt, tcp.client_rtt, tcp.response_time][n]?;
            Some([u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)])
        };
        Sparse::new(&rows.iter().map(of).collect::<Vec<_>>())
    };
    [column(0), column(1), column(2)]
}

/// The octets of the interface, where they do not follow from those of the flow.
fn mixed(p: &Plain) -> Option<[u64; 2]> {
    let [forward, reverse] = p.counters.map(|c| c.octets);
    (Crossing::of(forward, reverse, p.interface_octets) == Crossing::Mixed).then_some(p.interface_octets)
}

/// The counts of quality, where there are any.
fn counts(p: &Plain) -> Option<[u64; 8]> {
    let counts = quality(p.tcp.as_ref()?);
    (counts != [0; 8]).then(|| counts.map(u64::from))
}

const fn framing(c: &Counters) -> u64 {
    c.l2_octets.wrapping_sub(c.octets).wrapping_sub(c.packets.wrapping_mul(HEADER))
}

/// Small numbers of either sign as small numbers.
const fn zigzag(n: u64) -> u64 {
    (n << 1) ^ ((n as i64) >> 63) as u64
}
