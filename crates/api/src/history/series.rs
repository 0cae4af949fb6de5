//! Series over time: search, completion, charts.

use netwatch_model::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::Resolution;

/// What the samples of a step become.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum SeriesAggregate {
    /// The least.
    Min,
    /// The greatest.
    Max,
    /// The mean of all samples.
    #[default]
    Avg,
    /// The sum.
    Sum,
    /// How many samples.
    Count,
    /// The last.
    Last,
    /// Growth of a counter per second; a counter that began anew is seen.
    Rate,
    /// The median (within 1 %).
    P50,
    /// 95th percentile (within 1 %).
    P95,
    /// 99th percentile (within 1 %).
    P99,
}

/// `GET /api/v1/history/series`
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize, IntoParams)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
pub struct SeriesSearchQuery {
    /// Name of the metric. Default: all.
    pub metric: Option<String>,
    /// Labels that must fit, with commas between: `interface=eth*,direction!=out`. `*` stands for any text, `?` for one character.
    pub labels: Option<String>,
    /// Rows, 1 to 500. Default 50.
    #[param(minimum = 1, maximum = 500)]
    pub limit: Option<u32>,
    /// `next_cursor` of the page before.
    pub cursor: Option<String>,
}

/// `GET /api/v1/history/series/complete`
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize, IntoParams)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
pub struct CompletionQuery {
    /// What is to be completed. Default `metric`.
    #[param(inline)]
    pub what: Option<CompletionKind>,
    /// How it begins. Default: all.
    pub prefix: Option<String>,
    /// Only what series of this metric have. Default: all.
    pub metric: Option<String>,
    /// Name of the label of which values are wanted.
    pub label: Option<String>,
    /// Rows, 1 to 500. Default 50.
    #[param(minimum = 1, maximum = 500)]
    pub limit: Option<u32>,
}

/// What is to be completed.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum CompletionKind {
    /// Names of metrics.
    #[default]
    Metric,
    /// Names of labels.
    Label,
    /// Values of the label named in `label`.
    Value,
}

/// What a text can become.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
pub struct SeriesCompletion {
    /// In alphabetical order.
    pub values: Vec<String>,
    /// Whether there are more.
    pub more: bool,
}

/// One label.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
pub struct SeriesLabel {
    /// Its name.
    pub name: String,
    /// Its value.
    pub value: String,
}

/// One series.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
pub struct SeriesName {
    /// Number of the series in this workspace.
    pub id: u32,
    /// Name of the metric.
    pub metric: String,
    /// The agent that measured it.
    pub agent: String,
    /// Its labels.
    pub labels: Vec<SeriesLabel>,
}

/// A page of series.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, ToSchema)]
pub struct SeriesList {
    /// In the order of their numbers.
    pub items: Vec<SeriesName>,
    /// For the next page; null at the end.
    pub next_cursor: Option<String>,
}

/// `GET /api/v1/history/chart`
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize, IntoParams)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
pub struct ChartQuery {
    /// Name of the metric; must be given.
    pub metric: Option<String>,
    /// Labels that must fit, as in the list of series.
    pub labels: Option<String>,
    /// RFC 3339, or relative to now as `-15m`. Default `-1h`.
    pub from: Option<String>,
    /// RFC 3339, `now`, or relative. Default `now`.
    pub to: Option<String>,
    /// Seconds of a step; default so that there are at most 300 steps. At most 11 000 steps.
    #[param(minimum = 1, maximum = 2678400)]
    pub step: Option<u32>,
    /// What the samples of a step become. Default `rate` for counters, else `avg`.
    #[param(inline)]
    pub aggregate: Option<SeriesAggregate>,
    /// Largest number of series. 1 to 100, default 20.
    #[param(minimum = 1, maximum = 100)]
    pub limit: Option<u32>,
}

/// One series of a chart.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, ToSchema)]
pub struct ChartLine {
    /// Which.
    pub series: SeriesName,
    /// One value for each step; null: no data.
    pub points: Vec<Option<f64>>,
}

/// Series over time.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, ToSchema)]
pub struct SeriesChart {
    /// Start of the first step.
    #[schema(value_type = String, format = DateTime)]
    pub from: Timestamp,
    /// Seconds of a step.
    pub step: f64,
    /// What the samples of a step became.
    pub aggregate: SeriesAggregate,
    /// What it was made of.
    pub resolution: Resolution,
    /// In the order of their numbers.
    pub lines: Vec<ChartLine>,
    /// Whether more series fit than are in the answer.
    pub more: bool,
    /// Whether the first step is covered in part.
    pub partial_first: bool,
    /// Whether the last step is covered in part.
    pub partial_last: bool,
}
