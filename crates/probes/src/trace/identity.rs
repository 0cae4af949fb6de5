//! Names of routes that stay: the same sequence of hops has the same name in every run, also when a hop is silent in one of them.
//!
//! A route that is seen first is named by a hash of its hops, which is the same on every host. A later one that [`fits`] a known route of
//! its target has that one's name, and tells it what it did not know.
//!
//! Limits: [`MAX_ROUTES`] routes of each of [`MAX_TARGETS`] targets; the one not seen for longest is forgotten.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};

const MAX_TARGETS: usize = 10_000;
const MAX_ROUTES: usize = 32;

/// Who answered at each hop; `None` for who is silent.
type Hops = [Option<IpAddr>];

/// The routes that are known.
#[derive(Debug, Default)]
pub(super) struct Routes(Mutex<Known>);

#[derive(Debug, Default)]
struct Known {
    targets: HashMap<IpAddr, Target>,
    looks: u64,
}

#[derive(Debug, Default)]
struct Target {
    seen: u64,
    /// The one seen last is last.
    routes: Vec<(u64, Vec<Option<IpAddr>>)>,
}

impl Routes {
    /// The name of a route: 16 hexadecimal digits.
    pub(super) fn name(&self, target: IpAddr, hops: &Hops) -> String {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.looks += 1;
        let looks = known.looks;
        if known.targets.len() >= MAX_TARGETS && !known.targets.contains_key(&target) {
            let oldest = known.targets.iter().min_by_key(|(_, known)| known.seen).map(|(target, _)| *target);
            oldest.map(|oldest| known.targets.remove(&oldest));
        }
        let known = known.targets.entry(target).or_default();
        known.seen = looks;
        format!("{:016x}", known.name(hops))
    }
}

impl Target {
    fn name(&mut self, hops: &Hops) -> u64 {
        let same = |(_, route): &&(u64, Vec<Option<IpAddr>>)| {
            route.iter().zip(hops).filter(|(a, b)| a.is_some() && a == b).count()
        };
        let best = self.routes.iter().filter(|(_, route)| fits(route, hops)).max_by_key(same).map(|(name, _)| *name);
        let (name, mut route) = match best.and_then(|name| self.routes.iter().position(|(known, _)| *known == name)) {
            Some(place) => self.routes.remove(place),
            None => (hash(hops), Vec::new()),
        };
        for (index, hop) in hops.iter().enumerate() {
            match route.get_mut(index) {
                Some(known) => *known = known.or(*hop),
                None => route.push(*hop),
            }
        }
        if self.routes.len() >= MAX_ROUTES {
            self.routes.remove(0);
        }
        self.routes.push((name, route));
        name
    }
}

/// Whether two sequences may be of one route: no place where both answer differently. A shorter one fits the start of a longer one, for
/// silent hops at the end are not told.
pub(super) fn fits(a: &Hops, b: &Hops) -> bool {
    a.iter().zip(b).all(|pair| match pair {
        (Some(a), Some(b)) => a == b,
        _ => true,
    })
}

/// FNV-1a, 64 bits: the same on every host and in every version.
fn hash(hops: &Hops) -> u64 {
    let octets = hops.iter().flat_map(|hop| match hop {
        None => vec![0],
        Some(IpAddr::V4(address)) => [&[4][..], &address.octets()].concat(),
        Some(IpAddr::V6(address)) => [&[6][..], &address.octets()].concat(),
    });
    octets.fold(0xcbf2_9ce4_8422_2325, |hash, octet| (hash ^ u64::from(octet)).wrapping_mul(0x0100_0000_01b3))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn hops(hosts: &[u8]) -> Vec<Option<IpAddr>> {
        hosts.iter().map(|host| (*host > 0).then(|| IpAddr::from([10, 0, 0, *host]))).collect()
    }

    fn target() -> IpAddr {
        [192, 0, 2, 1].into()
    }

    #[test]
    fn a_silent_hop_changes_no_name_and_another_hop_does() {
        let routes = Routes::default();
        let name = routes.name(target(), &hops(&[1, 2, 3]));
        assert_eq!(routes.name(target(), &hops(&[1, 0, 3])), name);
        assert_eq!(routes.name(target(), &hops(&[1, 2])), name, "the end did not answer");
        assert_ne!(routes.name(target(), &hops(&[1, 4, 3])), name);
        assert_eq!(routes.name(target(), &hops(&[1, 2, 3])), name, "back again");
    }

    #[test]
    fn a_hop_that_was_silent_at_first_is_learnt() {
        let routes = Routes::default();
        let name = routes.name(target(), &hops(&[1, 0, 3]));
        assert_eq!(routes.name(target(), &hops(&[1, 2, 3])), name);
        assert_ne!(routes.name(target(), &hops(&[1, 5, 3])), name, "the place is taken by now");
    }

    #[test]
    fn names_are_the_same_everywhere() {
        assert_eq!(Routes::default().name(target(), &hops(&[1, 2])), Routes::default().name(target(), &hops(&[1, 2])));
    }

    proptest! {
        #[test]
        fn what_is_remembered_is_bounded(routes in proptest::collection::vec(proptest::collection::vec(0_u8..200, 0..6), 0..80)) {
            let known = Routes::default();
            for route in &routes {
                prop_assert_eq!(known.name(target(), &hops(route)).len(), 16);
            }
            let known = known.0.lock().unwrap();
            prop_assert!(known.targets.values().all(|target| target.routes.len() <= MAX_ROUTES));
        }
    }
}
