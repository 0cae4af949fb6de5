//! The telemetry store: what flows carried over days, series over time, lists of records, and the room that all this takes.
//!
//! Every answer names the resolution that it was made of: `raw`, `1m` or `1h`. Steps are half-open intervals that begin at multiples of
//! their length in UTC; a first or last step that the range covers in part is flagged.

pub mod explore;
pub mod list;
pub mod series;
pub mod storage;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What an answer was made of.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
pub enum Resolution {
    /// The records as they came.
    #[serde(rename = "raw")]
    Raw,
    /// Rollups by minute.
    #[serde(rename = "1m")]
    Minute,
    /// Rollups by hour.
    #[serde(rename = "1h")]
    Hour,
}
