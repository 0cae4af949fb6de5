//! Records over days: flows and events.

use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::event::Event;
use crate::flow::{Flow, Format};

/// `GET /api/v1/history/flows`
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize, IntoParams)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
pub struct HistoryFlowsQuery {
    /// RFC 3339, or relative to now as `-15m`. Default `-24h`.
    pub from: Option<String>,
    /// RFC 3339, `now`, or relative. Default `now`.
    pub to: Option<String>,
    /// Filter text over flows. A long conversation is stored in slices: tests of size and duration see a slice.
    pub filter: Option<String>,
    /// Rows, 1 to 500. Default 50.
    #[param(minimum = 1, maximum = 500)]
    pub limit: Option<u32>,
    /// `next_cursor` of the page before; all other parameters unchanged, and times absolute.
    pub cursor: Option<String>,
    /// `json` or `csv`. Default: what `Accept` asks for, else `json`.
    #[param(inline)]
    pub format: Option<Format>,
}

/// A stored flow record: one slice of a conversation.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, ToSchema)]
pub struct HistoryFlow {
    /// The agent that observed it.
    pub agent: String,
    /// What it carried in this slice. The id is all zeros once the day is over.
    pub flow: Flow,
}

/// A page of stored flow records.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, ToSchema)]
pub struct HistoryFlows {
    /// The last ended first.
    pub items: Vec<HistoryFlow>,
    /// For the next page; null at the end.
    pub next_cursor: Option<String>,
}

/// `GET /api/v1/history/events`
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize, IntoParams)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
pub struct HistoryEventsQuery {
    /// RFC 3339, or relative to now as `-15m`. Default `-7d`.
    pub from: Option<String>,
    /// RFC 3339, `now`, or relative. Default `now`.
    pub to: Option<String>,
    /// Kinds with commas between. Default: all.
    pub kinds: Option<String>,
    /// `info`, `warning` or `critical`: at least so severe. Default `info`.
    pub severity: Option<String>,
    /// Whose subject fits this pattern: `*` stands for any text, `?` for one character.
    pub subject: Option<String>,
    /// Whose text contains this, in any case.
    pub text: Option<String>,
    /// Rows, 1 to 500. Default 50.
    #[param(minimum = 1, maximum = 500)]
    pub limit: Option<u32>,
    /// `next_cursor` of the page before; all other parameters unchanged, and times absolute.
    pub cursor: Option<String>,
}

/// A stored event.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, ToSchema)]
pub struct HistoryEvent {
    /// The agent that reported it.
    pub agent: String,
    /// What happened. Its id is zero: a stored event has none.
    pub event: Event,
}

/// A page of stored events.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, ToSchema)]
pub struct HistoryEvents {
    /// Newest first.
    pub items: Vec<HistoryEvent>,
    /// For the next page; null at the end.
    pub next_cursor: Option<String>,
}
