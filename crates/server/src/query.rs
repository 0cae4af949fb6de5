//! Questions to the live store and their answers, in the types of the API.
//!
//! A question is answered from one [`View`](crate::store) of the store, so that all parts of an answer fit together. Equal questions
//! about the same state are computed once and shared; what was found in a sealed segment is remembered.
//!
//! Limits: kept answers, selections, snapshots of pages and older views all have their bounds, see [`StoreConfig`]; an answer may be
//! as old as a batch takes to be taken in, with many active flows 250 ms, with a quarter of a million of them one second.

mod answers;
mod cursor;
mod desk;
mod flows;
mod hints;
mod host;
mod label;
mod page;
mod range;
mod rates;
mod scan;
mod selections;
mod status;
mod sums;
#[cfg(test)]
mod tests;
mod top;

use std::sync::Arc;
use std::time::Duration;

use netwatch_api::flow::{FlowSort, FlowStatus, SortOrder};
use netwatch_api::traffic::{Dimension, TopSort};
use netwatch_model::Timestamp;
use netwatch_model::filter::Filter;

pub(crate) use desk::Desk;

pub use crate::store::{Applied, LiveStore, StoreConfig, TimeBase};

/// A stretch of time.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct TimeRange {
    /// The first moment.
    pub from: Timestamp,
    /// The first moment after it.
    pub to: Timestamp,
}

/// Which flows, in which order.
#[derive(Clone, PartialEq, Debug)]
pub struct FlowsRequest {
    /// Flows with a packet in it: last packet not before `from`, first packet before `to`.
    pub range: TimeRange,
    /// Only those it selects.
    pub filter: Option<Arc<Filter>>,
    /// Active, ended or both.
    pub status: FlowStatus,
    /// Column that orders them.
    pub sort: FlowSort,
    /// Direction of the order.
    pub order: SortOrder,
    /// Rows of a page, at least one.
    pub limit: usize,
    /// `next_cursor` of the page before, for the next one.
    pub cursor: Option<String>,
}

/// Which rates.
#[derive(Clone, PartialEq, Debug)]
pub struct RatesRequest {
    /// When.
    pub range: TimeRange,
    /// Length of a step in whole seconds; by default so that there are at most 600.
    pub step: Option<Duration>,
    /// What the series are.
    pub by: Dimension,
    /// Only flows that it selects.
    pub filter: Option<Arc<Filter>>,
    /// Series, "other" aside.
    pub limit: usize,
    /// Only this interface.
    pub interface: Option<String>,
}

/// Which talkers.
#[derive(Clone, PartialEq, Debug)]
pub struct TopRequest {
    /// When.
    pub range: TimeRange,
    /// What they are grouped by.
    pub by: Dimension,
    /// Rows, "other" aside.
    pub limit: usize,
    /// Only flows that it selects.
    pub filter: Option<Arc<Filter>>,
    /// Column that orders them.
    pub sort: TopSort,
}

/// Why a question has no answer.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum QueryError {
    /// The cursor was not given for this request.
    #[error("the cursor {0}: take `next_cursor` of the page before and leave all other parameters as they were")]
    Cursor(&'static str),
    /// What the cursor points at is no longer kept.
    #[error("the pages that this cursor belongs to are no longer kept: start again without a cursor")]
    Gone,
    /// The question makes no sense.
    #[error("{what}")]
    Unsupported {
        /// What, and what to ask instead.
        what: &'static str,
    },
    /// The answer would be too large.
    #[error("{what}")]
    TooCostly {
        /// What, and what to ask instead.
        what: &'static str,
    },
}
