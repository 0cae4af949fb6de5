//! Questions about what is kept of series, as it is kept: rollups, and no steps made of them.

use std::collections::BTreeSet;
use std::time::Duration;

use netwatch_model::Timestamp;

use super::Resolution;
use crate::dictionary::SeriesKey;
use crate::partition::Span;

/// Rollups of many series at once.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct BucketQuery {
    /// Names of the metrics.
    pub metrics: Vec<String>,
    /// Only series with a label of this name …
    pub label: String,
    /// … that has one of these values.
    pub values: BTreeSet<String>,
    /// Buckets that begin in this range.
    pub span: Span,
    /// Never finer than this, though finer is kept. [`Resolution::Raw`] is read as [`Resolution::Minute`].
    pub finest: Resolution,
    /// Most series in the answer.
    pub limit: usize,
}

/// What the samples of one series amount to in one bucket.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Bucket {
    /// Time of the first sample.
    pub first: Timestamp,
    /// Time of the last sample.
    pub last: Timestamp,
    /// How many samples.
    pub count: u64,
    /// Their sum.
    pub sum: f64,
    /// Value of the first sample.
    pub first_value: f64,
    /// Value of the last sample.
    pub last_value: f64,
}

/// The buckets of one series.
#[derive(Clone, PartialEq, Debug)]
pub struct BucketLine {
    /// Which.
    pub key: SeriesKey,
    /// In the order of time; those without samples are left out.
    pub buckets: Vec<Bucket>,
}

/// Rollups as they are kept.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Buckets {
    /// In the order of their numbers.
    pub lines: Vec<BucketLine>,
    /// Whether more series fit than are in the answer.
    pub more: bool,
    /// From here on a bucket is a minute, before it is an hour; absent: all are hours.
    pub minutes_from: Option<Timestamp>,
}

impl Bucket {
    /// The longest bucket.
    pub const LONGEST: Duration = Duration::from_secs(3600);
}
