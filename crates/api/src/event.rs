//! Events, newest first.

use netwatch_model::{EventKind, Severity, Timestamp};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

/// Something that happened.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, ToSchema)]
pub struct Event {
    /// Grows by one with each event.
    pub id: u64,
    /// When.
    #[schema(value_type = String, format = DateTime)]
    pub time: Timestamp,
    /// What: `interface_down`, `capture_resumed`…
    #[schema(value_type = String)]
    pub kind: EventKind,
    /// `info`, `warning` or `critical`.
    #[schema(value_type = String)]
    pub severity: Severity,
    /// To what.
    pub subject: String,
    /// One sentence.
    pub text: String,
}

impl Event {
    /// The model's event with its number.
    #[must_use]
    pub fn new(id: u64, e: &netwatch_model::Event) -> Self {
        let (subject, text) = (e.subject.to_string(), e.text.to_string());
        Self { id, time: e.time, kind: e.kind, severity: e.severity, subject, text }
    }
}

/// `GET /api/v1/events`
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize, IntoParams)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
pub struct EventsQuery {
    /// Rows, 1 to 500. Default 50.
    #[param(minimum = 1, maximum = 500)]
    pub limit: Option<u32>,
    /// `next_cursor` of the page before.
    pub cursor: Option<String>,
}

/// `GET /api/v1/events/stream`
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize, IntoParams)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
pub struct EventStreamQuery {
    /// Only events that matter at least so much.
    #[param(inline)]
    pub severity: Option<crate::ingest::EventSeverity>,
}

/// Data of the message `gap` of the event stream: events that are not kept any more.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, ToSchema)]
pub struct EventGap {
    /// How many.
    pub missed: u64,
}

/// A page of events.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, ToSchema)]
pub struct Events {
    /// Newest first.
    pub items: Vec<Event>,
    /// For the next page; null at the end.
    pub next_cursor: Option<String>,
}
