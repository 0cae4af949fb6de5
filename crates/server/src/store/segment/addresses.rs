//! The addresses of a segment, sorted: those of IPv4 first.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use netwatch_model::filter::Network;

/// Sorted addresses without repetition.
#[derive(Debug)]
pub(crate) struct Addresses {
    v4: Box<[Ipv4Addr]>,
    v6: Box<[Ipv6Addr]>,
}

impl Addresses {
    /// From addresses in ascending order, IPv4 before IPv6, none twice.
    pub(super) fn new(sorted: &[IpAddr]) -> Self {
        let v4 = sorted.iter().filter_map(|a| if let IpAddr::V4(a) = a { Some(*a) } else { None });
        let v6 = sorted.iter().filter_map(|a| if let IpAddr::V6(a) = a { Some(*a) } else { None });
        Self { v4: v4.collect(), v6: v6.collect() }
    }

    /// How many.
    pub(super) fn len(&self) -> usize {
        self.v4.len() + self.v6.len()
    }

    /// The address at a place.
    pub(super) fn get(&self, at: usize) -> IpAddr {
        let v6 = || at.checked_sub(self.v4.len()).and_then(|at| self.v6.get(at)).copied();
        match self.v4.get(at) {
            Some(address) => IpAddr::V4(*address),
            None => IpAddr::V6(v6().unwrap_or(Ipv6Addr::UNSPECIFIED)),
        }
    }

    /// Sets a flag for each address in one of the networks; tells whether there is any.
    pub(super) fn within(&self, networks: &[Network], wanted: &mut [bool]) -> bool {
        let mut any = false;
        for network in networks {
            let places = match network.address() {
                IpAddr::V4(first) => {
                    let from = self.v4.partition_point(|a| *a < first);
                    from..self.v4.partition_point(|a| *a < first || network.contains(IpAddr::V4(*a)))
                }
                IpAddr::V6(first) => {
                    let from = self.v6.partition_point(|a| *a < first);
                    let to = self.v6.partition_point(|a| *a < first || network.contains(IpAddr::V6(*a)));
                    self.v4.len() + from..self.v4.len() + to
                }
            };
            any |= !places.is_empty();
            if let Some(flags) = wanted.get_mut(places) {
                flags.fill(true);
            }
        }
        any
    }

    /// Memory.
    pub(super) fn bytes(&self) -> usize {
        size_of_val(&*self.v4) + size_of_val(&*self.v6)
    }
}
