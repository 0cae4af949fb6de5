//! Sums of flows by minute: for each dimension that is asked for often, what each of its values carried.
//!
//! A slice counts in the minute of its end; slices are cut at least as often as records are written, so that a long conversation is
//! spread over its minutes. Inner flows of a tunnel are left out: their octets are part of the outer flow.
//!
//! Sums are worth their room only when they are much fewer than the slices. A dimension with more than [`MIN_VALUES`] values in a
//! minute, and more than one for every [`SLICES_A_VALUE`] slices, gets a single row that says so ([`Key::overflow`]): addresses
//! mostly, on a network of some size. Questions about it are answered from the slices, and its hours are rolled up from them.

use std::collections::BTreeMap;
use std::hash::Hash;
use std::sync::Arc;

use hashbrown::HashMap;

use crate::address::halves;
use crate::dimension::{Dimension, TOTAL};
use crate::partition::MINUTE;
use crate::rollup::bucket;
use crate::slices::Slice;

/// Values of a dimension in one minute that are always summed, of the slices of one flush.
pub(crate) const MIN_VALUES: usize = 16;
/// More values than that are summed when there are so many slices for each.
pub(crate) const SLICES_A_VALUE: usize = 8;

/// A value of a dimension: an address or number, or a text.
#[derive(Clone, PartialEq, Eq, Hash, Debug, PartialOrd, Ord)]
pub(crate) struct Key {
    pub(crate) dimension: u8,
    pub(crate) number: (u64, u64),
    pub(crate) text: Option<Arc<str>>,
}

impl Key {
    /// Stands for values of the dimension that have no row of their own.
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
    fn of(slice: &Slice) -> Self {
        let total = slice.forward.plus(slice.reverse);
        Self {
            octets: total.octets,
            l2_octets: total.l2_octets,
            packets: total.packets,
            flows: slice.flows,
            octets_in: slice.interface_octets[0],
            octets_out: slice.interface_octets[1],
        }
    }

    fn add(&mut self, other: &Self) {
        self.octets = self.octets.saturating_add(other.octets);
        self.l2_octets = self.l2_octets.saturating_add(other.l2_octets);
        self.packets = self.packets.saturating_add(other.packets);
        self.flows = self.flows.saturating_add(other.flows);
        self.octets_in = self.octets_in.saturating_add(other.octets_in);
        self.octets_out = self.octets_out.saturating_add(other.octets_out);
    }
}

/// Sums of one minute, in the order in which they are stored.
pub(crate) type Minute = Vec<(Key, Sums)>;

/// The sums of slices, by minute (start in milliseconds).
pub(crate) fn tally(slices: &[Slice]) -> BTreeMap<i64, Minute> {
    let mut minutes: BTreeMap<i64, Vec<(&Slice, Sums)>> = BTreeMap::new();
    for slice in slices.iter().filter(|s| s.record.tunnel.is_none()) {
        minutes.entry(bucket(slice.end, MINUTE)).or_default().push((slice, Sums::of(slice)));
    }
    minutes.into_iter().map(|(start, slices)| (start, minute(&slices))).collect()
}

fn minute(slices: &[(&Slice, Sums)]) -> Minute {
    let mut out = Vec::new();
    let total = slices.iter().fold(Sums::default(), |mut sum, (_, more)| {
        sum.add(more);
        sum
    });
    out.push((Key { dimension: TOTAL, number: (0, 0), text: None }, total));
    let most = (slices.len() / SLICES_A_VALUE).max(MIN_VALUES);
    let each = |f: fn(&Slice) -> (u64, u64)| slices.iter().map(move |(slice, sums)| (f(slice), *sums));
    let numbers = [
        (Dimension::Host, values(slices.iter().flat_map(|(slice, sums)| ends(slice, *sums)), most)),
        (Dimension::Source, values(each(|s| halves(s.record.source)), most)),
        (Dimension::Destination, values(each(|s| halves(s.record.destination)), most)),
        (Dimension::Port, values(each(|s| (s.record.protocol.0.into(), s.record.destination_port.into())), most)),
        (Dimension::Protocol, values(each(|s| (0, s.record.protocol.0.into())), most)),
        (Dimension::Vlan, values(each(|s| (0, vlan(s.record.vlan.as_slice()))), most)),
        (Dimension::Agent, values(each(|s| (0, s.key.agent.0)), most)),
    ];
    for (dimension, sums) in numbers {
        extend(&mut out, dimension, sums, &total, |number| (number, None));
    }
    let each = |f: fn(&Slice) -> Option<&str>| slices.iter().map(move |(slice, sums)| (f(slice), *sums));
    let texts = [
        (Dimension::Application, values(each(|s| Some(&s.record.application)), most)),
        (Dimension::Name, values(each(|s| s.record.name.as_ref().map(|n| n.0.raw())), most)),
        (Dimension::Process, values(each(|s| s.record.process.as_ref().map(|p| p.name.raw())), most)),
        (Dimension::Interface, values(each(|s| Some(s.record.interface.raw())), most)),
    ];
    for (dimension, sums) in texts {
        extend(&mut out, dimension, sums, &total, |text| ((0, 0), text.map(Arc::from)));
    }
    out.sort_unstable_by(|a, b| a.0.cmp(&b.0));
    out
}

/// Both hosts of a slice with what each received and sent; one when it talked with itself.
fn ends(slice: &Slice, sums: Sums) -> impl Iterator<Item = ((u64, u64), Sums)> {
    let (source, destination) = (halves(slice.record.source), halves(slice.record.destination));
    let host = |received: u64, sent: u64| Sums { octets_in: received, octets_out: sent, ..sums };
    let first = (source, host(slice.reverse.octets, slice.forward.octets));
    let second = (destination, host(slice.forward.octets, slice.reverse.octets));
    [Some(first), (source != destination).then_some(second)].into_iter().flatten()
}

type Values<K> = HashMap<K, Sums, foldhash::fast::RandomState>;

/// The sums of each value; none when there are more than `most`.
fn values<K: Copy + Eq + Hash>(rows: impl Iterator<Item = (K, Sums)>, most: usize) -> Option<Values<K>> {
    let mut values: Values<K> = HashMap::default();
    // Neighbours are often alike.
    let mut run: Option<(K, Sums)> = None;
    for (key, sums) in rows {
        match &mut run {
            Some((last, sum)) if *last == key => sum.add(&sums),
            _ => {
                if let Some((last, sum)) = run.replace((key, sums)) {
                    values.entry(last).or_default().add(&sum);
                    if values.len() > most {
                        return None;
                    }
                }
            }
        }
    }
    if let Some((last, sum)) = run {
        values.entry(last).or_default().add(&sum);
    }
    (values.len() <= most).then_some(values)
}

fn extend<K>(
    out: &mut Minute,
    dimension: Dimension,
    sums: Option<Values<K>>,
    total: &Sums,
    key: impl Fn(K) -> ((u64, u64), Option<Arc<str>>),
) {
    let dimension = dimension.code().unwrap_or(u8::MAX);
    let Some(sums) = sums else {
        out.push((Key::overflow(dimension), *total));
        return;
    };
    out.extend(sums.into_iter().map(|(value, sums)| {
        let (number, text) = key(value);
        (Key { dimension, number, text }, sums)
    }));
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
        let minute = minutes.into_values().next().expect("one minute");
        let of = |dimension, number| {
            let key = Key { dimension, number, text: None };
            minute.iter().find(|row| row.0 == key).expect("a row").1
        };
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
    fn a_dimension_with_too_many_values_has_one_row_that_says_so() {
        let tallied = |hosts: u8| {
            let records = (0..250).map(|n| ended(n % hosts, 1));
            tally(&slices(records)).into_values().next().expect("one minute")
        };
        let sources = |minute: &Minute| minute.iter().filter(|row| row.0.dimension == 2).cloned().collect::<Vec<_>>();
        let few = sources(&tallied(31));
        assert_eq!((few.len(), few.iter().map(|row| row.1.flows).sum::<u64>()), (31, 250));
        let many = tallied(32);
        assert_eq!(
            sources(&many).iter().map(|row| (&row.0, row.1.flows)).collect::<Vec<_>>(),
            [(&Key::overflow(2), 250)]
        );
        assert_eq!(many.iter().filter(|row| row.0.dimension == 3).count(), 1, "one destination is summed");
    }

    #[test]
    fn vlan_stacks_come_back() {
        for ids in [&[][..], &[100], &[4095, 1, 2, 3], &[0]] {
            assert_eq!(vlan_ids(vlan(ids)), ids);
        }
    }
}
