//! Slows down those who guess: a bucket of attempts for each address, refilled slowly.
//!
//! Limits: 1024 addresses; when there are more, those whose bucket is full again are forgotten, and if there are none, the one whose
//! last failure is oldest. IPv6 addresses count by their /64, which is what one customer gets.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::time::Duration;

const MAX_ADDRESSES: usize = 1024;

/// Failures of each address.
pub(super) struct Throttle {
    burst: u32,
    refill: Duration,
    /// When the bucket of an address will be full again.
    full_at: HashMap<IpAddr, Duration>,
}

impl Throttle {
    /// `burst` failures at once, one more each `refill`.
    pub(super) fn new(burst: u32, refill: Duration) -> Self {
        Self { burst, refill, full_at: HashMap::new() }
    }

    /// How long `peer` has to wait before it may try; none when it may now.
    pub(super) fn wait(&self, peer: IpAddr, now: Duration) -> Option<Duration> {
        let full_at = self.full_at.get(&network(peer))?;
        let room = self.refill * (self.burst.saturating_sub(1));
        full_at.checked_sub(room + now).filter(|wait| !wait.is_zero())
    }

    /// Counts a failure of `peer`.
    pub(super) fn fail(&mut self, peer: IpAddr, now: Duration) {
        let peer = network(peer);
        if self.full_at.len() >= MAX_ADDRESSES && !self.full_at.contains_key(&peer) {
            self.make_room(now);
        }
        let full_at = self.full_at.entry(peer).or_insert(now);
        *full_at = (*full_at).max(now) + self.refill;
    }

    fn make_room(&mut self, now: Duration) {
        self.full_at.retain(|_, full_at| *full_at > now);
        if self.full_at.len() >= MAX_ADDRESSES
            && let Some(least) = self.full_at.iter().min_by_key(|(_, t)| **t).map(|(a, _)| *a)
        {
            self.full_at.remove(&least);
        }
    }
}

fn network(peer: IpAddr) -> IpAddr {
    match peer.to_canonical() {
        IpAddr::V6(a) => IpAddr::V6(Ipv6Addr::from_bits(a.to_bits() & !u128::from(u64::MAX))),
        v4 => v4,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);
    const NOW: Duration = Duration::from_secs(1000);

    #[test]
    fn a_guesser_waits_and_others_do_not() {
        let mut throttle = Throttle::new(3, SECOND * 6);
        let [guesser, other] = ["10.0.0.1", "10.0.0.2"].map(|a| a.parse().unwrap());
        for _ in 0..3 {
            assert_eq!(throttle.wait(guesser, NOW), None);
            throttle.fail(guesser, NOW);
        }
        assert_eq!(throttle.wait(guesser, NOW), Some(SECOND * 6));
        assert_eq!(throttle.wait(guesser, NOW + SECOND * 6), None);
        assert_eq!(throttle.wait(other, NOW), None);
    }

    #[test]
    fn the_table_does_not_grow_and_a_network_counts_once() {
        let mut throttle = Throttle::new(1, SECOND);
        for i in 0..5000_u32 {
            throttle.fail(IpAddr::V4(std::net::Ipv4Addr::from_bits(i)), NOW);
        }
        assert_eq!(throttle.full_at.len(), MAX_ADDRESSES);
        throttle.fail("2001:db8::1".parse().unwrap(), NOW);
        assert!(throttle.wait("2001:db8::ffff".parse().unwrap(), NOW).is_some());
        assert!(throttle.wait("2001:db8:0:1::1".parse().unwrap(), NOW).is_none());
    }
}
