//! DuckDB behind the port: everything that knows SQL.
//!
//! One instance of DuckDB without a file of its own has all files of the store attached: one file for each kind and day
//! ([`Partition`](crate::partition::Partition)). The instance reaches no other file, loads no extension, and its settings are locked.
//! Every text from outside is bound as a value; identifiers come from enumerations of this crate.

pub(crate) mod ask;
pub(crate) mod chart;
pub(crate) mod columns;
pub(crate) mod engine;
pub(crate) mod explore;
pub(crate) mod files;
pub(crate) mod filter;
pub(crate) mod keep;
pub(crate) mod lists;
pub(crate) mod rows;
pub(crate) mod schema;
pub(crate) mod series;
pub(crate) mod write;

use netwatch_model::EventKind;
use netwatch_model::probe::Failure;

/// An event's kind as it is stored.
pub(crate) fn event_word(kind: EventKind) -> String {
    match serde_json::to_value(kind) {
        Ok(serde_json::Value::String(word)) => word,
        _ => String::new(),
    }
}

/// A reason of failure as it is stored.
pub(crate) fn failure_word(failure: &Failure) -> String {
    match serde_json::to_value(failure.reason) {
        Ok(serde_json::Value::String(word)) => word,
        _ => String::new(),
    }
}

/// The kind of a word; `None` for one of a later version.
pub(crate) fn event_kind(word: &str) -> Option<EventKind> {
    serde_json::from_value(serde_json::Value::String(word.to_owned())).ok()
}
