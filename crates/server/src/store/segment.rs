//! Ended records, sealed: columns that never change, about 45 bytes a record.
//!
//! Each column has the coding that suits it: numbers as differences in few bits, values of which few are different as places in a
//! list, values that few records have on the side. What filters ask for most (addresses, ports, texts) is in plain places that are
//! compared many at a time, and its list of values tells at once when no record of the segment fits.
//!
//! Limits: at most 32,768 records, so that both addresses of every record have a place of 16 bits.

mod addresses;
mod build;
mod column;
mod decode;
mod order;
mod rowset;
mod select;
mod subject;

use netwatch_model::{EndReason, FlowState, NameSource, Protocol, Timestamp, Tunnel, VlanStack};

pub(crate) use addresses::Addresses;
use column::{Coded, Packed, Places, Sparse};
pub(crate) use order::{Block, Orders, ordered_time, rate};
pub(crate) use rowset::RowSet;
pub(crate) use subject::SegmentRow;

use super::row::Crossing;
use super::texts::TextId;

/// What of a record takes few different values.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
struct Kind {
    protocol: Protocol,
    state: FlowState,
    end_reason: Option<EndReason>,
    name_source: Option<NameSource>,
    crossing: Crossing,
    is_tcp: bool,
    flags: [u8; 2],
}

impl Default for Kind {
    fn default() -> Self {
        Self {
            protocol: Protocol::default(),
            state: FlowState::default(),
            end_reason: None,
            name_source: None,
            crossing: Crossing::Mixed,
            is_tcp: false,
            flags: [0; 2],
        }
    }
}

/// Extremes of a segment, by which it is skipped.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Zone {
    /// First packet of any record.
    pub(crate) first_start: Timestamp,
    /// The latest first packet.
    pub(crate) last_start: Timestamp,
    /// The earliest last packet.
    pub(crate) first_end: Timestamp,
    /// The latest last packet.
    pub(crate) last_end: Timestamp,
}

/// Sealed records.
#[derive(Debug)]
pub(crate) struct Segment {
    number: u32,
    rows: usize,
    zone: Zone,
    addresses: Addresses,
    source: Places,
    destination: Places,
    source_port: Box<[u16]>,
    destination_port: Box<[u16]>,
    /// Bit `n`: some record has port `n`.
    ports: Box<[u64]>,
    kind: Coded<Kind>,
    interface: Coded<TextId>,
    application: Coded<TextId>,
    name: Coded<TextId>,
    process: Coded<TextId>,
    vlan: Coded<VlanStack>,
    tunnel: Coded<Option<Tunnel>>,
    icmp_id: Packed,
    worker_slot: Packed,
    generation: Packed,
    end: Packed,
    duration: Packed,
    octets: [Packed; 2],
    packets: [Packed; 2],
    /// Layer-2 octets beyond an Ethernet header for each packet, zigzag.
    framing: [Packed; 2],
    interface_octets: Sparse<2>,
    /// Server side, client side, response time in nanoseconds.
    times: [Sparse<1>; 3],
    quality: Sparse<8>,
    history: Sparse<1>,
    orders: Orders,
}

impl Segment {
    /// Its number: segments are numbered as they were begun.
    pub(crate) const fn number(&self) -> u32 {
        self.number
    }

    /// Extremes.
    pub(crate) const fn zone(&self) -> &Zone {
        &self.zone
    }

    /// Memory.
    pub(crate) fn bytes(&self) -> usize {
        let packed = [&self.icmp_id, &self.worker_slot, &self.generation, &self.end, &self.duration];
        let pairs = self.octets.iter().chain(&self.packets).chain(&self.framing);
        let texts = [&self.interface, &self.application, &self.name, &self.process];
        size_of::<Self>()
            + self.addresses.bytes()
            + self.source.bytes()
            + self.destination.bytes()
            + size_of_val(&*self.source_port) * 2
            + size_of_val(&*self.ports)
            + packed.into_iter().chain(pairs).map(Packed::bytes).sum::<usize>()
            + texts.into_iter().map(Coded::bytes).sum::<usize>()
            + self.kind.bytes()
            + self.vlan.bytes()
            + self.tunnel.bytes()
            + self.times.iter().map(Sparse::bytes).sum::<usize>()
            + self.interface_octets.bytes()
            + self.quality.bytes()
            + self.history.bytes()
            + Orders::bytes(self.rows)
    }
}

#[cfg(test)]
mod tests;
