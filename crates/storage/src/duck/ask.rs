//! Asking: a connection of its own for each question, stopped by deadline or by the one who asked.

use duckdb::Connection;

use super::engine::Engine;
use crate::error::StoreError;
use crate::port::Budget;
use crate::port::budget::Deadline;

/// Runs `work` on a connection of its own. When the budget's time is over the statement that runs then is interrupted.
pub(crate) fn ask<T>(
    engine: &Engine,
    budget: &Budget,
    work: impl FnOnce(&Connection) -> Result<T, StoreError>,
) -> Result<T, StoreError> {
    let connection = engine.connect()?;
    let handle = connection.interrupt_handle();
    budget.cancel.arm(move || handle.interrupt());
    let deadline = Deadline::watch(budget);
    let result = if budget.cancel.is_cancelled() { Err(cancelled(budget)) } else { work(&connection) };
    drop(deadline);
    budget.cancel.disarm();
    match result {
        Err(_) if budget.cancel.is_cancelled() => Err(cancelled(budget)),
        Err(StoreError::Query(e)) if e.to_string().contains("Out of Memory") => Err(StoreError::TooExpensive(
            "it needs more memory than the store may use: narrow the range or the filter".to_owned(),
        )),
        other => other,
    }
}

/// The answer to a question that was stopped.
pub(crate) fn cancelled(budget: &Budget) -> StoreError {
    StoreError::Cancelled(budget.deadline.as_millis())
}

/// Whether an error tells that a file is damaged, and not that the question was wrong.
pub(crate) fn tells_of_damage(error: &StoreError) -> bool {
    let source = match error {
        StoreError::Damaged { .. } => return true,
        StoreError::Query(e) => e,
        StoreError::Open { source, .. } | StoreError::Rewrite { source, .. } | StoreError::Write { source, .. } => {
            source
        }
        _ => return false,
    };
    let text = source.to_string().to_ascii_lowercase();
    ["corrupt", "checksum", "internal error", "fatal error", "invalidated", "serialization error", "io error"]
        .iter()
        .any(|word| text.contains(word))
}
