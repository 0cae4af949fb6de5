//! Sealing: rows to columns.

use std::net::IpAddr;
use std::time::Duration;

use foldhash::fast::RandomState;
use hashbrown::HashMap;
use netwatch_model::{Counters, TcpMetrics, Timestamp};

use super::column::{Coded, Packed, Places, Sparse};
use super::{Addresses, Kind, Segment, Zone, order};
use crate::store::row::{Crossing, Head, Volume, quality};
use crate::store::texts::TextId;

/// Octets of an Ethernet header, which nearly every frame has.
pub(super) const HEADER: u64 = 14;

impl Segment {
    /// Seals rows, at most [`StoreConfig::MAX_SEGMENT_ROWS`](crate::store::StoreConfig::MAX_SEGMENT_ROWS).
    pub(crate) fn seal(number: u32, rows: &[(&Head, &Volume)]) -> Self {
        let count = rows.len();
        let head = |f: fn(&Head) -> u64| Packed::new(&rows.iter().map(|(head, _)| f(head)).collect::<Vec<_>>());
        let number_of = |f: fn(&Volume) -> u64| Packed::new(&rows.iter().map(|(_, v)| f(v)).collect::<Vec<_>>());
        let pair = |f: fn(Counters) -> u64| {
            let way =
                |of: fn(&Volume) -> Counters| Packed::new(&rows.iter().map(|(_, v)| f(of(v))).collect::<Vec<_>>());
            [way(Volume::forward), way(Volume::reverse)]
        };
        let text = |f: fn(&Head) -> TextId| Coded::new(rows.iter().map(|(head, _)| f(head)));
        let volumes = || rows.iter().map(|(_, volume)| *volume).enumerate();
        let (addresses, source, destination) = addresses(rows);
        let (source_port, destination_port): (Vec<u16>, Vec<u16>) =
            rows.iter().map(|(head, _)| (head.source_port, head.destination_port)).unzip();
        Self {
            number,
            rows: count,
            zone: Zone::of(rows),
            addresses,
            source,
            destination,
            ports: port_bits(&source_port, &destination_port),
            source_port: source_port.into_boxed_slice(),
            destination_port: destination_port.into_boxed_slice(),
            kind: Coded::new(rows.iter().map(|(head, volume)| Kind::of(head, volume))),
            interface: text(|h| h.texts.interface),
            application: text(|h| h.texts.application),
            name: text(|h| h.texts.name),
            process: text(|h| h.texts.process),
            vlan: Coded::new(rows.iter().map(|(head, _)| head.vlan)),
            tunnel: Coded::new(rows.iter().map(|(head, _)| head.tunnel)),
            icmp_id: head(|h| h.icmp_id.into()),
            worker_slot: head(|h| h.id.bits() >> 32),
            generation: head(|h| h.id.bits() & u64::from(u32::MAX)),
            end: number_of(|v| order::ordered_time(v.end)),
            duration: number_of(|v| order::ordered_time(v.end).wrapping_sub(order::ordered_time(v.start))),
            octets: pair(|c| c.octets),
            packets: pair(|c| c.packets),
            framing: pair(|c| zigzag(framing(c))),
            interface_octets: Sparse::new(count, volumes().filter_map(|(row, v)| Some((row, mixed(v)?)))),
            times: [time(rows, |t| t.server_rtt), time(rows, |t| t.client_rtt), time(rows, |t| t.response_time)],
            quality: Sparse::new(count, volumes().filter_map(|(row, v)| Some((row, counts(v)?)))),
            history: Sparse::new(
                count,
                volumes().filter(|(_, v)| v.history != 0).map(|(row, v)| (row, [v.history.into()])),
            ),
            orders: super::Orders::default(),
        }
    }
}

impl Kind {
    fn of(head: &Head, volume: &Volume) -> Self {
        let tcp = volume.tcp();
        let TcpMetrics { flags, reverse_flags, .. } = tcp.unwrap_or_default();
        Self {
            protocol: head.protocol,
            state: volume.state,
            end_reason: volume.end_reason,
            name_source: head.name_source,
            crossing: volume.crossing(),
            is_tcp: tcp.is_some(),
            flags: [flags, reverse_flags],
        }
    }
}

impl Zone {
    fn of(rows: &[(&Head, &Volume)]) -> Self {
        let (latest, earliest) = (Timestamp::MAX, Timestamp::from_nanos(i64::MIN));
        let none = Self { first_start: latest, last_start: earliest, first_end: latest, last_end: earliest };
        rows.iter().fold(none, |z, (_, v)| Self {
            first_start: z.first_start.min(v.start),
            last_start: z.last_start.max(v.start),
            first_end: z.first_end.min(v.end),
            last_end: z.last_end.max(v.end),
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

/// A time of TCP, in nanoseconds, where there is one.
fn time(rows: &[(&Head, &Volume)], of: fn(&TcpMetrics) -> Option<Duration>) -> Sparse<1> {
    let nanos = |d: Duration| u64::try_from(d.as_nanos()).unwrap_or(u64::MAX);
    let there = rows.iter().enumerate().filter_map(|(row, (_, v))| Some((row, [nanos(of(&v.tcp()?)?)])));
    Sparse::new(rows.len(), there)
}

/// The octets of the interface, where they do not follow from those of the flow.
fn mixed(v: &Volume) -> Option<[u64; 2]> {
    (v.crossing() == Crossing::Mixed).then(|| v.interface_octets())
}

/// The counts of quality, where there are any.
fn counts(v: &Volume) -> Option<[u64; 8]> {
    let counts = quality(&v.tcp()?);
    (counts != [0; 8]).then(|| counts.map(u64::from))
}

const fn framing(c: Counters) -> u64 {
    c.l2_octets.wrapping_sub(c.octets).wrapping_sub(c.packets.wrapping_mul(HEADER))
}

/// Small numbers of either sign as small numbers.
const fn zigzag(n: u64) -> u64 {
    (n << 1) ^ ((n as i64) >> 63) as u64
}
