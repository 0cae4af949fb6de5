//! From what each flow found to paths: flows that take the same way are one path; rate-limited hops are told from lossy ones.

use std::net::IpAddr;

use netwatch_model::probe::Delays;
use netwatch_model::probe::kind::mtr::{self, Path};

use super::identity::{Routes, fits};
use crate::icmp::{Flow, Hop};

/// A way that one or more flows take.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct Way {
    /// The key of its first flow.
    pub(super) key: u16,
    /// What its flows found together.
    pub(super) flow: Flow,
}

/// Whether a flow reached the target.
pub(super) fn is_reached(flows: &[Flow]) -> bool {
    flows.iter().any(|flow| flow.reached.is_some())
}

/// Share of the packets to the target that it did not answer; 1 when it was not reached.
pub(super) fn loss(flows: &[Flow]) -> f64 {
    let ends = flows.iter().filter(|flow| flow.reached.is_some()).filter_map(|flow| flow.hops.last());
    let (sent, answered) = ends
        .fold((0_u64, 0_u64), |(sent, answered), hop| (sent + u64::from(hop.sent), answered + u64::from(hop.answered)));
    if sent == 0 { 1.0 } else { 1.0 - (answered as f64 / sent as f64).min(1.0) }
}

/// Joins flows that took the same way, the one with the most answers first.
pub(super) fn paths(flows: &[Flow], keys: &[u16]) -> Vec<Way> {
    let mut ways: Vec<Way> = Vec::new();
    let mut order: Vec<(usize, &Flow)> = flows.iter().enumerate().collect();
    // Those that know most hops first, so that silent hops do not join what differs.
    order.sort_by_key(|(_, flow)| std::cmp::Reverse(addresses(flow).iter().flatten().count()));
    for (index, flow) in order {
        match ways.iter_mut().find(|way| fits(&addresses(&way.flow), &addresses(flow))) {
            Some(way) => way.join(flow),
            None => ways
                .push(Way { key: keys.get(index).or(keys.first()).copied().unwrap_or_default(), flow: flow.clone() }),
        }
    }
    ways.sort_by_key(|way| std::cmp::Reverse(way.flow.hops.iter().map(|hop| u64::from(hop.answered)).sum::<u64>()));
    ways
}

/// The paths as a result holds them, each with the name that it had before.
pub(super) fn model(ways: Vec<Way>, target: IpAddr, routes: &Routes) -> Vec<Path> {
    let path = |way: Way| Path {
        id: routes.name(target, &addresses(&way.flow)),
        flow: way.key,
        hops: (1..).zip(&way.flow.hops).map(|(ttl, hop)| hop_of(ttl, hop, &way.flow.hops)).collect(),
    };
    ways.into_iter().map(path).collect()
}

/// Who answered at each hop.
fn addresses(flow: &Flow) -> Vec<Option<IpAddr>> {
    flow.hops.iter().map(Hop::address).collect()
}

impl Way {
    fn join(&mut self, other: &Flow) {
        for (index, hop) in other.hops.iter().enumerate() {
            match self.flow.hops.get_mut(index) {
                Some(known) => known.merge(hop),
                None => self.flow.hops.push(hop.clone()),
            }
        }
        self.flow.reached = self.flow.reached.or(other.reached);
    }
}

fn hop_of(ttl: u8, hop: &Hop, all: &[Hop]) -> mtr::Hop {
    let address = hop.address();
    let others = hop.addresses.iter().map(|(other, _)| *other).filter(|other| Some(*other) != address).collect();
    let rtts: Vec<f64> = hop.rtts.iter().copied().collect();
    mtr::Hop {
        ttl,
        address,
        others,
        name: None,
        asn: None,
        organization: None,
        mpls: hop.labels.clone(),
        sent: hop.sent,
        answered: hop.answered,
        rate_limited: is_rate_limited(usize::from(ttl), hop, all),
        rtt: Delays::of(&rtts),
    }
}

/// A hop that answers less than one behind it loses nothing: what the later one answered has passed it.
fn is_rate_limited(ttl: usize, hop: &Hop, all: &[Hop]) -> bool {
    let share = |hop: &Hop| f64::from(hop.answered) / f64::from(hop.sent.max(1));
    hop.answered > 0 && hop.answered < hop.sent && all.iter().skip(ttl).any(|later| share(later) > share(hop))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn flow(hops: &[(u8, u32, u32)], reached: Option<u8>) -> Flow {
        let hop = |(host, sent, answered): &(u8, u32, u32)| {
            let address = IpAddr::from([10, 0, 0, *host]);
            let addresses = if *host == 0 { Vec::new() } else { vec![(address, *answered)] };
            Hop { sent: *sent, answered: *answered, addresses, ..Hop::default() }
        };
        Flow { hops: hops.iter().map(hop).collect(), reached, barred: None }
    }

    #[test]
    fn only_loss_that_later_hops_share_is_loss() {
        let found = flow(&[(1, 10, 10), (2, 10, 3), (3, 10, 9), (4, 10, 9)], Some(4));
        let flags: Vec<bool> =
            (1..).zip(&found.hops).map(|(ttl, hop)| hop_of(ttl, hop, &found.hops).rate_limited).collect();
        assert_eq!(flags, [false, true, false, false]);
        assert!((loss(&[found]) - 0.1).abs() < 1e-12);
    }

    #[test]
    fn flows_of_one_way_are_one_path_and_others_are_kept_apart() {
        let flows = [
            flow(&[(1, 5, 5), (0, 5, 0), (9, 5, 5)], Some(3)),
            flow(&[(1, 5, 5), (3, 5, 5), (9, 5, 5)], Some(3)),
            flow(&[(1, 5, 5), (2, 5, 5), (9, 5, 5)], Some(3)),
            flow(&[(1, 5, 5), (3, 5, 5), (9, 5, 5)], Some(3)),
        ];
        let ways = paths(&flows, &[100, 101, 102, 103]);
        let keys: Vec<(u16, u32)> = ways.iter().map(|way| (way.key, way.flow.hops[0].sent)).collect();
        assert_eq!(keys, [(101, 15), (102, 5)], "the silent hop fits the first");
    }

    #[test]
    fn who_is_not_reached_has_lost_everything() {
        let found = flow(&[(1, 10, 10), (2, 10, 10)], None);
        assert!(!is_reached(std::slice::from_ref(&found)));
        assert!((loss(&[found]) - 1.0).abs() < f64::EPSILON);
    }
}
