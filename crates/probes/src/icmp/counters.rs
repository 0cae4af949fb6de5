//! What a hub counts of itself.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// Buckets of lateness: the n-th holds packets that left less than 2ⁿ microseconds after their time.
const BUCKETS: usize = 32;

/// Counts since the hub was made.
#[derive(Debug, Default)]
pub struct Counters {
    sent: AtomicU64,
    received: AtomicU64,
    foreign: AtomicU64,
    dropped: AtomicU64,
    refused: AtomicU64,
    lateness: [AtomicU64; BUCKETS],
}

/// The counts at one moment.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct HubCounts {
    /// Packets that the kernel took.
    pub sent: u64,
    /// Arrivals that belong to a packet.
    pub received: u64,
    /// Arrivals that belong to none: of others, forged, or too late.
    pub foreign: u64,
    /// Arrivals that found no room in a socket; loss that the network did not cause.
    pub dropped: u64,
    /// Packets that the kernel did not take.
    pub refused: u64,
    /// 99 of 100 packets left no later than this after their time; rounded up to a power of two of microseconds.
    pub late_p99: Duration,
    /// The same for all packets.
    pub late_most: Duration,
}

impl Counters {
    /// The counts, now.
    pub fn read(&self) -> HubCounts {
        let of = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        HubCounts {
            sent: of(&self.sent),
            received: of(&self.received),
            foreign: of(&self.foreign),
            dropped: of(&self.dropped),
            refused: of(&self.refused),
            late_p99: self.late_by(0.99),
            late_most: self.late_by(1.0),
        }
    }

    fn late_by(&self, share: f64) -> Duration {
        let buckets: Vec<u64> = self.lateness.iter().map(|bucket| bucket.load(Ordering::Relaxed)).collect();
        let wanted = buckets.iter().sum::<u64>() as f64 * share;
        let mut seen = 0;
        let place = buckets.iter().position(|bucket| {
            seen += bucket;
            seen > 0 && seen as f64 >= wanted
        });
        place.map_or(Duration::ZERO, |place| Duration::from_micros(1 << place))
    }

    pub(super) fn sent(&self, count: usize) {
        self.sent.fetch_add(count as u64, Ordering::Relaxed);
    }

    pub(super) fn refused(&self) {
        self.refused.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn arrived(&self, ours: bool) {
        let counter = if ours { &self.received } else { &self.foreign };
        counter.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn dropped(&self, count: u32) {
        self.dropped.fetch_add(u64::from(count), Ordering::Relaxed);
    }

    pub(super) fn late(&self, by: Duration) {
        let place = 64 - u64::try_from(by.as_micros()).unwrap_or(u64::MAX).leading_zeros();
        let bucket = usize::try_from(place).unwrap_or(BUCKETS).min(BUCKETS - 1);
        if let Some(bucket) = self.lateness.get(bucket) {
            bucket.fetch_add(1, Ordering::Relaxed);
        }
    }
}
