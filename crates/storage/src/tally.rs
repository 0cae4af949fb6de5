//! Sums of flows by minute: for each dimension that is asked for often, what each of its values carried.
//!
//! A slice counts in the minute of its end; slices are cut at least as often as records are written, so that a long conversation is
//! spread over its minutes. Inner flows of a tunnel are left out: their octets are part of the outer flow.
//!
//! Limits: at most [`MAX_KEYS`] values of a dimension in one minute. What has more gets a row that says so, and questions about that
//! minute are answered from the slices.

use std::sync::Arc;

use hashbrown::HashMap;

use crate::address::halves;
use crate::dimension::{Dimension, TOTAL};
use crate::partition::MINUTE;
use crate::rollup::bucket;
use crate::slices::Slice;

/// Values of one dimension in one minute.
pub(crate) const MAX_KEYS: usize = 100_000;

/// A value of a dimension: an address or number, or a text.
#[derive(Clone, PartialEq, Eq, Hash, Debug, PartialOrd, Ord)]
pub(crate) struct Key {
    pub(crate) dimension: u8,
    pub(crate) number: (u64, u64),
    pub(crate) text: Option<Arc<str>>,
}

impl Key {
    /// Stands for values of the dimension that had no place.
    pub(crate) const fn overflow(dimension: u8) -> Self {
        Self { dimension, number: (u64::MAX, u64::MAX), text: None }
    }
}

/// What was carried.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) struct Sums {
    pub(crate) octets: u64,
    pub(crate) l2_octets: u64,
    pub(crate) packets: u64,
    pub(crate) flows: u64,
    pub(crate) octets_in: u64,
    pub(crate) octets_out: u64,
}

impl Sums {
    fn add(&mut self, other: &Self) {
        self.octets = self.octets.saturating_add(other.octets);
        self.l2_octets = self.l2_octets.saturating_add(other.l2_octets);
        self.packets = self.packets.saturating_add(other.packets);
        self.flows = self.flows.saturating_add(other.flows);
        self.octets_in = self.octets_in.saturating_add(other.octets_in);
        self.octets_out = self.octets_out.saturating_add(other.octets_out);
    }
}

/// Sums of one minute.
#[derive(Debug, Default)]
pub(crate) struct Minute {
    sums: HashMap<Key, Sums, foldhash::quality::RandomState>,
    keys: [usize; 16],
}

impl Minute {
    /// Sums in the order in which they are stored.
    pub(crate) fn sorted(self) -> Vec<(Key, Sums)> {
        let mut list: Vec<(Key, Sums)> = self.sums.into_iter().collect();
        list.sort_unstable_by(|a, b| a.0.cmp(&b.0));
        list
    }

    fn add(&mut self, key: Key, sums: &Sums) {
        if let Some(known) = self.sums.get_mut(&key) {
            known.add(sums);
            return;
        }
        let kept = self.keys.get_mut(usize::from(key.dimension));
        let key = match kept {
            Some(n) if *n < MAX_KEYS => {
                *n += 1;
                key
            }
            _ => Key::overflow(key.dimension),
        };
        self.sums.entry(key).or_default().add(sums);
    }
}

/// The sums of slices, by minute (start in milliseconds).
pub(crate) fn tally(slices: &[Slice]) -> Vec<(i64, Minute)> {
    let mut minutes: Vec<(i64, Minute)> = Vec::new();
    for slice in slices.iter().filter(|s| s.record.tunnel.is_none()) {
        let start = bucket(slice.end, MINUTE);
        let place = minutes.iter().rposition(|m| m.0 == start).unwrap_or_else(|| {
            minutes.push((start, Minute::default()));
            minutes.len() - 1
        });
        if let Some((_, minute)) = minutes.get_mut(place) {
            count(minute, slice);
        }
    }
    minutes
}

fn count(minute: &mut Minute, slice: &Slice) {
    let total = slice.forward.plus(slice.reverse);
    let sums = Sums {
        octets: total.octets,
        l2_octets: total.l2_octets,
        packets: total.packets,
        flows: slice.flows,
        octets_in: slice.interface_octets[0],
        octets_out: slice.interface_octets[1],
    };
    let record = &slice.record;
    minute.add(Key { dimension: TOTAL, number: (0, 0), text: None }, &sums);
    let (source, destination) = (halves(record.source), halves(record.destination));
    let mut number = |dimension: Dimension, number: (u64, u64), sums: &Sums| {
        minute.add(Key { dimension: dimension.code().unwrap_or(u8::MAX), number, text: None }, sums);
    };
    // Of a host: what it received and sent.
    let host = |received: u64, sent: u64| Sums { octets_in: received, octets_out: sent, ..sums };
    number(Dimension::Host, source, &host(slice.reverse.octets, slice.forward.octets));
    if source != destination {
        number(Dimension::Host, destination, &host(slice.forward.octets, slice.reverse.octets));
    }
    number(Dimension::Source, source, &sums);
    number(Dimension::Destination, destination, &sums);
    let port = (u64::from(record.protocol.0), u64::from(record.destination_port));
    number(Dimension::Port, port, &sums);
    number(Dimension::Protocol, (0, record.protocol.0.into()), &sums);
    number(Dimension::Vlan, (0, vlan(record.vlan.as_slice())), &sums);
    number(Dimension::Agent, (0, slice.key.agent.0), &sums);
    let mut text = |dimension: Dimension, text: Option<&str>| {
        minute.add(
            Key { dimension: dimension.code().unwrap_or(u8::MAX), number: (0, 0), text: text.map(Arc::from) },
            &sums,
        );
    };
    text(Dimension::Application, Some(&record.application));
    text(Dimension::Name, record.name.as_ref().map(|n| n.0.raw()));
    text(Dimension::Process, record.process.as_ref().map(|p| p.name.raw()));
    text(Dimension::Interface, Some(record.interface.raw()));
}

/// A VLAN stack as one number: how many, then twelve bits each, the outermost lowest.
pub(crate) fn vlan(ids: &[u16]) -> u64 {
    let packed = ids.iter().take(4).rev().fold(0, |n, id| n << 12 | u64::from(id & 0xfff));
    packed | (ids.len().min(4) as u64) << 48
}

/// The VLAN identifiers of such a number, outermost first.
pub(crate) fn vlan_ids(packed: u64) -> Vec<u16> {
    let id = |n: u64| u16::try_from(packed >> (12 * n) & 0xfff).unwrap_or(0);
    (0..(packed >> 48).min(4)).map(id).collect()
}

#[cfg(test)]
mod tests {
    use netwatch_model::{AgentId, BootId, FlowId, Tunnel, TunnelKind};

    use super::*;
    use crate::slices::{FlowHead, RecordKey};
    use crate::testing::ended;

    fn slices(records: impl IntoIterator<Item = netwatch_model::FlowRecord>) -> Vec<Slice> {
        let mut head = FlowHead::default();
        for (n, record) in (0..).zip(records) {
            let key = RecordKey { agent: AgentId(1), boot: BootId(1), id: FlowId::new(0, n, 1) };
            head.push(key, Box::new(record));
        }
        head.take()
    }

    #[test]
    fn each_octet_counts_for_both_hosts_and_once_in_total() {
        let minutes = tally(&slices([ended(1, 100), ended(2, 300)]));
        let [(_, minute)] = &minutes[..] else { panic!("one minute") };
        let of = |dimension: u8, number| minute.sums[&Key { dimension, number, text: None }];
        assert_eq!(of(TOTAL, (0, 0)).octets, 600);
        let server = of(1, halves("198.51.100.1".parse().unwrap()));
        assert_eq!((server.octets, server.octets_in, server.octets_out, server.flows), (600, 400, 200, 2));
        assert_eq!(of(4, (6, 443)).flows, 2);
    }

    #[test]
    fn inner_flows_are_not_counted_again() {
        let mut inner = ended(1, 100);
        inner.tunnel = Some(Tunnel { kind: TunnelKind::Gre, id: 0 });
        assert!(tally(&slices([inner])).is_empty());
    }

    #[test]
    fn vlan_stacks_come_back() {
        for ids in [&[][..], &[100], &[4095, 1, 2, 3], &[0]] {
            assert_eq!(vlan_ids(vlan(ids)), ids);
        }
    }
}
