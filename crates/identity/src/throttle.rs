//! Slows down those who guess: a bucket of attempts for each key (an address, an account), refilled slowly.
//!
//! Nothing here knows whether an account exists: names that do not exist have a bucket like all others. Limits: so many keys as the
//! table is made for; when there are more, those whose bucket is full again are forgotten, and if there are none, the one that has
//! least to wait. IPv6 addresses count by their /64, which is what one customer gets.

use std::collections::HashMap;
use std::hash::Hash;
use std::net::{IpAddr, Ipv6Addr};
use std::time::Duration;

/// Attempts of each key.
#[derive(Debug)]
pub struct Throttle<K> {
    burst: u32,
    refill: Duration,
    most: usize,
    /// When the bucket of a key will be full again.
    full_at: HashMap<K, Duration>,
}

impl<K: Copy + Eq + Hash> Throttle<K> {
    /// `burst` attempts at once, one more each `refill`, for `most` keys.
    #[must_use]
    pub fn new(burst: u32, refill: Duration, most: usize) -> Self {
        Self { burst, refill, most, full_at: HashMap::new() }
    }

    /// How long `key` has to wait before it may try; none when it may now.
    #[must_use]
    pub fn wait(&self, key: &K, now: Duration) -> Option<Duration> {
        let full_at = self.full_at.get(key)?;
        let room = self.refill * (self.burst.saturating_sub(1));
        full_at.checked_sub(room + now).filter(|wait| !wait.is_zero())
    }

    /// Counts an attempt of `key`.
    pub fn count(&mut self, key: K, now: Duration) {
        if self.full_at.len() >= self.most && !self.full_at.contains_key(&key) {
            self.make_room(now);
        }
        let full_at = self.full_at.entry(key).or_insert(now);
        *full_at = (*full_at).max(now) + self.refill;
    }

    /// Counts an attempt if `key` may make one; else how long it has to wait.
    ///
    /// # Errors
    /// The time to wait.
    pub fn try_count(&mut self, key: K, now: Duration) -> Result<(), Duration> {
        match self.wait(&key, now) {
            Some(wait) => Err(wait),
            None => {
                self.count(key, now);
                Ok(())
            }
        }
    }

    /// Gives `key` all its attempts back.
    pub fn forgive(&mut self, key: &K) {
        self.full_at.remove(key);
    }

    fn make_room(&mut self, now: Duration) {
        self.full_at.retain(|_, full_at| *full_at > now);
        if self.full_at.len() >= self.most
            && let Some(least) = self.full_at.iter().min_by_key(|(_, t)| **t).map(|(k, _)| *k)
        {
            self.full_at.remove(&least);
        }
    }
}

/// The key of an address: itself, or its /64.
#[must_use]
pub fn network(peer: IpAddr) -> IpAddr {
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
        let mut throttle = Throttle::new(3, SECOND * 6, 10);
        for _ in 0..3 {
            assert_eq!(throttle.try_count("guesser", NOW), Ok(()));
        }
        assert_eq!(throttle.try_count("guesser", NOW), Err(SECOND * 6));
        assert_eq!(throttle.wait(&"guesser", NOW + SECOND * 6), None);
        assert_eq!(throttle.wait(&"other", NOW), None);
        throttle.forgive(&"guesser");
        assert_eq!(throttle.wait(&"guesser", NOW), None);
    }

    #[test]
    fn the_table_does_not_grow_and_a_network_counts_once() {
        let mut throttle = Throttle::new(1, SECOND, 100);
        for i in 0..5000_u32 {
            throttle.count(network(IpAddr::V4(std::net::Ipv4Addr::from_bits(i))), NOW);
        }
        assert_eq!(throttle.full_at.len(), 100);
        let [a, b, c] = ["2001:db8::1", "2001:db8::ffff", "2001:db8:0:1::1"].map(|a| network(a.parse().unwrap()));
        throttle.count(a, NOW);
        assert!(throttle.wait(&b, NOW).is_some() && throttle.wait(&c, NOW).is_none());
    }
}
