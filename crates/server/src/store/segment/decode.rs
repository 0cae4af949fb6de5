//! Columns back to rows.

use std::time::Duration;

use netwatch_model::{Counters, FlowId, TcpMetrics, Timestamp};

use super::build::HEADER;
use super::{Segment, order};
use crate::store::row::{Ends, Head, Plain, TextIds, Volume, with_quality};

impl Segment {
    /// What identifies a record.
    pub(crate) fn head(&self, row: usize) -> Head {
        let kind = self.kind.get(row);
        let source = self.addresses.get(self.source.get(row));
        let destination = self.addresses.get(self.destination.get(row));
        Head {
            id: self.id(row),
            ends: Ends::new(source, destination),
            texts: TextIds {
                interface: self.interface.get(row),
                application: self.application.get(row),
                name: self.name.get(row),
                process: self.process.get(row),
            },
            tunnel: self.tunnel.get(row),
            vlan: self.vlan.get(row),
            source_port: self.source_port.get(row).copied().unwrap_or(0),
            destination_port: self.destination_port.get(row).copied().unwrap_or(0),
            icmp_id: u16::try_from(self.icmp_id.get(row)).unwrap_or(0),
            protocol: kind.protocol,
            name_source: kind.name_source,
        }
    }

    /// What a record carried.
    pub(crate) fn volume(&self, row: usize) -> Volume {
        let kind = self.kind.get(row);
        Volume::new(&Plain {
            start: self.start(row),
            end: self.end(row),
            counters: [self.counters(0, row), self.counters(1, row)],
            interface_octets: self.interface_octets(row),
            tcp: self.tcp(row),
            state: kind.state,
            end_reason: kind.end_reason,
            history: self.history.get(row).map_or(0, |[n]| u32::try_from(n).unwrap_or(0)),
        })
    }

    /// The id of a record.
    pub(crate) fn id(&self, row: usize) -> FlowId {
        FlowId::from_bits(self.worker_slot.get(row) << 32 | self.generation.get(row))
    }

    /// The row with that id.
    pub(crate) fn find(&self, id: FlowId) -> Option<usize> {
        let (high, low) = (id.bits() >> 32, id.bits() & u64::from(u32::MAX));
        (0..self.rows).find(|row| self.worker_slot.get(*row) == high && self.generation.get(*row) == low)
    }

    /// Time of the first packet.
    pub(crate) fn start(&self, row: usize) -> Timestamp {
        order::time_of(self.end.get(row).wrapping_sub(self.duration.get(row)))
    }

    /// Time of the last packet.
    pub(crate) fn end(&self, row: usize) -> Timestamp {
        order::time_of(self.end.get(row))
    }

    pub(super) fn counters(&self, way: usize, row: usize) -> Counters {
        let (packets, octets) = (self.packets[way].get(row), self.octets[way].get(row));
        let framing = unzigzag(self.framing[way].get(row));
        let l2_octets = framing.wrapping_add(octets).wrapping_add(packets.wrapping_mul(HEADER));
        Counters { packets, octets, l2_octets }
    }

    pub(super) fn octets(&self, row: usize) -> u64 {
        self.octets[0].get(row).saturating_add(self.octets[1].get(row))
    }

    pub(super) fn packets(&self, row: usize) -> u64 {
        self.packets[0].get(row).saturating_add(self.packets[1].get(row))
    }

    pub(super) fn interface_octets(&self, row: usize) -> [u64; 2] {
        let simple = self.kind.get(row).crossing.octets(self.octets[0].get(row), self.octets[1].get(row));
        simple.or_else(|| self.interface_octets.get(row)).unwrap_or_default()
    }

    pub(super) fn tcp(&self, row: usize) -> Option<TcpMetrics> {
        let kind = self.kind.get(row);
        if !kind.is_tcp {
            return None;
        }
        let time = |n: usize| self.times[n].get(row).map(|[nanos]| Duration::from_nanos(nanos));
        let plain = TcpMetrics {
            flags: kind.flags[0],
            reverse_flags: kind.flags[1],
            server_rtt: time(0),
            client_rtt: time(1),
            response_time: time(2),
            ..TcpMetrics::default()
        };
        let counts = self.quality.get(row).unwrap_or_default();
        Some(with_quality(plain, counts.map(|n| u32::try_from(n).unwrap_or(u32::MAX))))
    }
}

const fn unzigzag(n: u64) -> u64 {
    (n >> 1) ^ (n & 1).wrapping_neg()
}
