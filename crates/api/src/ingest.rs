//! Samples and events that programs send, in batches.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// `POST /api/v1/ingest/samples`
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SampleBatch {
    /// Each one is judged by itself.
    #[schema(min_items = 1, max_items = 10000)]
    pub samples: Vec<SampleInput>,
}

/// One number of one series at one time.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SampleInput {
    /// Name of the metric; base units, `_total` on counters.
    #[schema(pattern = "^[a-zA-Z_:][a-zA-Z0-9_:]*$", max_length = 200, example = "backup_duration_seconds")]
    pub name: String,
    /// Labels, at most 30. A name that begins with `__` is reserved.
    #[serde(default)]
    pub labels: BTreeMap<String, String>,
    /// RFC 3339; now, when it is left out. At most 30 days ago.
    #[serde(default)]
    #[schema(format = DateTime)]
    pub time: Option<String>,
    /// The number.
    pub value: f64,
}

/// `POST /api/v1/ingest/events`
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct EventBatch {
    /// Each one is judged by itself.
    #[schema(min_items = 1, max_items = 10000)]
    pub events: Vec<EventInput>,
}

/// Something that happened.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct EventInput {
    /// RFC 3339; now, when it is left out. At most 30 days ago.
    #[serde(default)]
    #[schema(format = DateTime)]
    pub time: Option<String>,
    /// How much it matters.
    #[serde(default)]
    pub severity: EventSeverity,
    /// To what it happened.
    #[schema(min_length = 1, max_length = 200, example = "backup of db1")]
    pub subject: String,
    /// One sentence.
    #[schema(min_length = 1, max_length = 1000)]
    pub text: String,
}

/// How much an event matters.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum EventSeverity {
    /// Good to know.
    #[default]
    Info,
    /// Something is not as it should be.
    Warning,
    /// Something does not work.
    Critical,
}

/// What became of a batch.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
pub struct IngestReport {
    /// Elements that were taken in.
    pub accepted: u64,
    /// Elements that were not; the others are in all the same.
    pub rejected: u64,
    /// Why, for the first hundred of those.
    pub errors: Vec<IngestError>,
}

/// Why an element of a batch was not taken in.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
pub struct IngestError {
    /// Its place in the batch, from 0.
    pub index: u64,
    /// Its field at fault, if it is one.
    pub parameter: Option<String>,
    /// What is wrong, and what is expected.
    pub detail: String,
}
