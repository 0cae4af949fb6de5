//! History: the telemetry store behind the live one, and the questions that the API asks it.
//!
//! ```text
//! ingest log ─[`Feed`](crate::ingest::Feed)─► [`HistorySink`] ─► telemetry store ◄─ questions of routes, a few at a time
//!                                                                   ▲
//!                                                     [`keep_up`]: once a minute, on a thread of its own
//! ```
//!
//! A question has a deadline, and is stopped when the one who asked leaves: dropping the request's future cancels it.

mod apply;
pub(crate) mod convert;
pub(crate) mod limits;
pub(crate) mod ranges;
mod sink;
mod upkeep;

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use arc_swap::ArcSwap;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use netwatch_api::ProblemCode;
use netwatch_model::people::WorkspaceId;
use netwatch_storage::{Budget, Cancel, StoreError, TelemetryStore};
use netwatch_telemetry::traces::TARGET;
use serde::Serialize;
use tokio::sync::Semaphore;
use tracing::{Instrument as _, info_span};

use crate::access::Identity;
use crate::app::{App, to_json};
use crate::fault::Fault;

pub(crate) use apply::place;
pub use limits::{LimitKey, StorageRules};
pub use sink::HistorySink;
pub use upkeep::keep_up;

/// Questions that are answered at the same time; each may use all threads of the store.
const QUESTIONS: usize = 2;
/// Longest time of one question.
const DEADLINE: Duration = Duration::from_secs(20);

/// A place for a store that comes later; none for a capture file.
pub(crate) struct HistorySlot {
    store: OnceLock<Arc<dyn TelemetryStore>>,
    turns: Semaphore,
    /// What the configuration says of how much is kept.
    rules: ArcSwap<StorageRules>,
}

impl Default for HistorySlot {
    fn default() -> Self {
        Self { store: OnceLock::new(), turns: Semaphore::new(QUESTIONS), rules: ArcSwap::default() }
    }
}

impl HistorySlot {
    /// The store from here on; the first one stays.
    pub(crate) fn fill(&self, store: Arc<dyn TelemetryStore>) {
        _ = self.store.set(store);
    }

    pub(crate) fn get(&self) -> Result<Arc<dyn TelemetryStore>, Fault> {
        let none = || Fault::unavailable("there is no history: what comes from a capture file is not stored");
        self.store.get().cloned().ok_or_else(none)
    }
}

/// Stops a question when nobody waits for its answer any more.
struct Leaving(Cancel);

impl Drop for Leaving {
    fn drop(&mut self) {
        self.0.cancel();
    }
}

/// The workspace of whoever asks.
pub(crate) fn workspace(app: &App, identity: &Identity) -> WorkspaceId {
    identity.workspace().filter(|w| *w != app.access().home()).unwrap_or(crate::ingest::HOME)
}

impl App {
    /// Asks the telemetry store on a thread of its own.
    pub(crate) async fn ask_history<T: Send + 'static>(
        &self,
        question: impl FnOnce(&dyn TelemetryStore, &Budget) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, Fault> {
        let slot = self.history();
        let store = slot.get()?;
        let turn = slot.turns.acquire().instrument(info_span!(target: TARGET, "query.wait"));
        let _turn = turn.await.map_err(|_| Fault::unavailable("the server is stopping"))?;
        let budget = Budget { deadline: DEADLINE, ..Budget::default() };
        let _leaving = Leaving(budget.cancel.clone());
        let answer = self.blocking(move || question(&*store, &budget));
        Ok(answer.instrument(info_span!(target: TARGET, "query.history")).await??)
    }
}

/// An answer as JSON.
pub(crate) fn json<T: Serialize>(answer: &T) -> Result<Response, Fault> {
    Ok(([(header::CONTENT_TYPE, "application/json")], to_json(answer)?).into_response())
}

impl From<StoreError> for Fault {
    fn from(error: StoreError) -> Self {
        let detail = error.to_string();
        match error {
            StoreError::Cancelled(_) => Self::unavailable(detail),
            StoreError::TooExpensive(_) => Self::new(ProblemCode::InvalidParameter, detail),
            StoreError::StaleCursor => Self::new(ProblemCode::Gone, detail),
            StoreError::ReadOnly => Self::read_only(detail),
            error => {
                tracing::error!(error = netwatch_storage::error_text(&error), "the telemetry store gives no answer");
                Self::unavailable("the telemetry store gives no answer now; the log tells more")
            }
        }
    }
}
