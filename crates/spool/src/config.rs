//! How large a log may be, and what happens then.

use std::time::Duration;

/// The most consumers of one log.
pub const MAX_CONSUMERS: usize = 8;
/// The longest name of a consumer, bytes.
const MAX_NAME: usize = 32;
/// The smallest segment, bytes: a header and a few records.
const MIN_SEGMENT: u64 = 4096;

/// What happens to a record that would take the log beyond its cap while somebody still needs all that is in it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum WhenFull {
    /// The oldest segment goes, and what was lost is recorded: for an agent, whose newest data matters most.
    DropOldest,
    /// The new record is refused: for a server, which has acknowledged what is there.
    Refuse,
}

/// Limits of a log.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Config {
    /// A segment is closed when it has this many bytes. At least 4096, and a quarter of [`Config::max_bytes`] at most.
    pub segment_bytes: u64,
    /// Cap of all segments together, bytes.
    pub max_bytes: u64,
    /// Cap of age: older segments go, needed or not, unless [`WhenFull::Refuse`].
    pub max_age: Duration,
    /// What all consumers have is kept up to this many bytes in all, so that it can be read again.
    pub keep_bytes: u64,
    /// What all consumers have is kept that long.
    pub keep_age: Duration,
    /// At the cap.
    pub when_full: WhenFull,
    /// Size of the reserve file, bytes: what checkpoints need when nothing else can be written. Zero for none.
    pub reserve_bytes: u64,
    /// Names of all consumers: lower-case letters and hyphens, at most 32. Without consumers everything is needed.
    pub consumers: Vec<&'static str>,
}

impl Config {
    /// A spool of an agent: what the server has taken goes at once, and at the cap the oldest goes.
    #[must_use]
    pub fn spool(consumer: &'static str) -> Self {
        Self {
            segment_bytes: 8 << 20,
            max_bytes: 1 << 30,
            max_age: Duration::from_hours(7 * 24),
            keep_bytes: 0,
            keep_age: Duration::ZERO,
            when_full: WhenFull::DropOldest,
            reserve_bytes: 1 << 20,
            consumers: vec![consumer],
        }
    }

    /// An ingest log: a day of it is kept for a store that must be built again; what was acknowledged is not given up.
    #[must_use]
    pub fn ingest(consumers: Vec<&'static str>) -> Self {
        Self {
            segment_bytes: 64 << 20,
            max_bytes: 8 << 30,
            max_age: Duration::from_hours(7 * 24),
            keep_bytes: 4 << 30,
            keep_age: Duration::from_hours(26),
            when_full: WhenFull::Refuse,
            reserve_bytes: 8 << 20,
            consumers,
        }
    }

    /// What cannot work, in words.
    pub(crate) fn fault(&self) -> Option<&'static str> {
        let is_name = |name: &&str| {
            !name.is_empty() && name.len() <= MAX_NAME && name.bytes().all(|b| b.is_ascii_lowercase() || b == b'-')
        };
        if self.segment_bytes < MIN_SEGMENT || self.segment_bytes > self.max_bytes / 4 {
            Some("a segment has at least 4096 bytes and at most a quarter of the whole log")
        } else if self.consumers.len() > MAX_CONSUMERS {
            Some("there are too many consumers")
        } else if !self.consumers.iter().all(is_name) {
            Some("the name of a consumer is lower-case letters and hyphens")
        } else {
            None
        }
    }
}
