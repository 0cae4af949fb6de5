//! Questions about series.

use std::time::Duration;

use netwatch_model::filter::Glob;
use netwatch_model::{AgentId, Timestamp};

use crate::dictionary::SeriesKey;
use crate::partition::Span;

/// What the values of a step become.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Aggregate {
    /// The least.
    Min,
    /// The greatest.
    Max,
    /// The mean of all samples (never of means).
    Avg,
    /// The sum.
    Sum,
    /// How many samples.
    Count,
    /// The last.
    Last,
    /// Growth of a counter per second; a counter that began anew is seen.
    Rate,
    /// The median.
    P50,
    /// 95th percentile.
    P95,
    /// 99th percentile.
    P99,
}

impl Aggregate {
    /// The share of a percentile.
    pub(crate) const fn quantile(self) -> Option<f64> {
        match self {
            Self::P50 => Some(0.5),
            Self::P95 => Some(0.95),
            Self::P99 => Some(0.99),
            _ => None,
        }
    }
}

/// What a label must be.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LabelMatch {
    /// Which label.
    pub name: String,
    /// Its value fits this pattern.
    pub value: Glob,
    /// Holds when it does not fit (or there is no such label).
    pub negated: bool,
}

/// Which series.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct SeriesSearch {
    /// Of the metric of that name (its word, or what a program calls it); absent: of all.
    pub metric: Option<String>,
    /// Of this agent; absent: of all.
    pub agent: Option<AgentId>,
    /// All of these hold.
    pub labels: Vec<LabelMatch>,
    /// Most series in the answer.
    pub limit: usize,
    /// Series after the one with this number.
    pub after: Option<u32>,
}

/// Some of the series there are.
#[derive(Clone, PartialEq, Debug)]
pub struct SeriesPage {
    /// With their numbers.
    pub series: Vec<(u32, SeriesKey)>,
    /// Number after which the next page begins; absent at the end.
    pub next: Option<u32>,
}

/// What is to be completed.
#[derive(Clone, PartialEq, Debug)]
pub enum Wanted {
    /// Names of metrics.
    Metric {
        /// That begin so.
        prefix: String,
    },
    /// Names of the labels that series of a metric have.
    LabelName {
        /// Of which metric; absent: of all.
        metric: Option<String>,
        /// That begin so.
        prefix: String,
    },
    /// Values of a label.
    LabelValue {
        /// Of which metric; absent: of all.
        metric: Option<String>,
        /// Of which label.
        name: String,
        /// That begin so.
        prefix: String,
    },
}

/// What it can become.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Completion {
    /// In alphabetical order.
    pub values: Vec<String>,
    /// Whether there are more.
    pub more: bool,
}

/// Series of a metric over time.
#[derive(Clone, PartialEq, Debug)]
pub struct SeriesQuery {
    /// Which series; its `limit` is the most lines in the answer.
    pub search: SeriesSearch,
    /// From when to when.
    pub span: Span,
    /// Length of a step: whole seconds.
    pub step: Duration,
    /// What the values of a step become.
    pub aggregate: Aggregate,
}

/// What a chart was made of.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Resolution {
    /// The records as they came.
    Raw,
    /// Rollups by minute.
    Minute,
    /// Rollups by hour.
    Hour,
}

impl Resolution {
    /// The word used in every surface.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Raw => "raw",
            Self::Minute => "1m",
            Self::Hour => "1h",
        }
    }
}

/// One series of a chart.
#[derive(Clone, PartialEq, Debug)]
pub struct Line {
    /// Number of the series.
    pub number: u32,
    /// Which.
    pub key: SeriesKey,
    /// One value for each step; absent: no data.
    pub points: Vec<Option<f64>>,
}

/// Series over time. Steps are half-open and begin at multiples of their length since the epoch.
#[derive(Clone, PartialEq, Debug)]
pub struct Chart {
    /// Start of the first step.
    pub from: Timestamp,
    /// Length of a step.
    pub step: Duration,
    /// What it was made of.
    pub resolution: Resolution,
    /// In the order of their numbers.
    pub lines: Vec<Line>,
    /// Whether more series fit than are in the answer.
    pub more: bool,
    /// Whether the first step began before the range.
    pub partial_first: bool,
    /// Whether the last step ends after the range.
    pub partial_last: bool,
}
