//! How much the store keeps.

use std::time::Duration;

/// What "now" means for what is kept.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub enum TimeBase {
    /// The wall clock: live capture.
    #[default]
    Wall,
    /// The newest record: a capture file of any age is kept as if its end were now.
    Records,
}

/// Limits of the store. Each has a policy when it is reached and a counter in the statistics.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct StoreConfig {
    /// What "now" means.
    pub time_base: TimeBase,
    /// How long ended records, rates and talkers are kept.
    pub window: Duration,
    /// Active flows with a row of their own; when full, the lightest are kept out until they end.
    pub live_rows: usize,
    /// Memory for ended records in bytes; when full, the oldest segment goes.
    pub archive_bytes: usize,
    /// Records in one archive segment, at most [`StoreConfig::MAX_SEGMENT_ROWS`].
    pub segment_rows: usize,
    /// Memory for what flows carried second by second, in bytes; when full, the oldest seconds are known as sums only.
    pub history_bytes: usize,
    /// Memory for closed buckets of talkers in bytes; when full, the oldest are kept by the minute only, then dropped.
    pub talker_bytes: usize,
    /// Keys that a closed bucket keeps in each dimension; the rest is in "other", its bound in `error_octets`.
    pub talker_keys: usize,
    /// Series of rates; more are added to the series of "other" of their interface.
    pub series: usize,
    /// Distinct texts (names, applications, interfaces, processes); more are left out and counted.
    pub texts: usize,
    /// Events kept.
    pub events: usize,
    /// First pages that can be continued at the same time; the least recently used goes.
    pub snapshots: usize,
    /// How long a page can be continued.
    pub snapshot_life: Duration,
    /// Memory for older states of live flows that pages beyond the thousandth row need, in bytes.
    pub view_bytes: usize,
    /// Answers kept for equal questions.
    pub answers: usize,
}

impl StoreConfig {
    /// Row numbers within a segment have 15 bits, so that both addresses of each row fit into an index of 16.
    pub const MAX_SEGMENT_ROWS: usize = 32_768;
}

impl Default for StoreConfig {
    fn default() -> Self {
        Self {
            time_base: TimeBase::Wall,
            window: Duration::from_secs(3600),
            live_rows: 262_144,
            archive_bytes: 256 << 20,
            segment_rows: Self::MAX_SEGMENT_ROWS,
            history_bytes: 32 << 20,
            talker_bytes: 32 << 20,
            talker_keys: 1024,
            series: 1024,
            texts: 262_144,
            events: 10_000,
            snapshots: 512,
            snapshot_life: Duration::from_secs(120),
            view_bytes: 64 << 20,
            answers: 256,
        }
    }
}
