//! The telemetry store as what the ingest log feeds.

use std::sync::Arc;

use netwatch_model::people::WorkspaceId;
use netwatch_model::{Batch, Position, Record, Timestamp};
use netwatch_spool::Gap;
use netwatch_storage::{StoreError, TelemetryStore};

use crate::ingest::{Sink, SinkError};
use crate::probes::{result_of, samples::samples_of};

/// Feeds a telemetry store.
pub struct HistorySink(Arc<dyn TelemetryStore>);

impl HistorySink {
    /// A sink of that store.
    #[must_use]
    pub fn new(store: Arc<dyn TelemetryStore>) -> Self {
        Self(store)
    }
}

impl Sink for HistorySink {
    fn stored(&self) -> Position {
        Position(self.0.replay_after())
    }

    fn apply(
        &mut self,
        position: Position,
        workspace: WorkspaceId,
        mut batch: Batch,
        now: Timestamp,
    ) -> Result<(), SinkError> {
        let numbers: Vec<Record> = batch.records.iter().filter_map(result_of).flat_map(samples_of).collect();
        batch.records.extend(numbers);
        let taken = self.0.append(workspace, position.0, batch, now).map_err(failed)?;
        let refused = taken.too_old + taken.too_new + taken.too_many_series;
        if refused > 0 {
            tracing::debug!(position = position.0, ?taken, "records of a batch are not kept");
        }
        Ok(())
    }

    fn missing(&mut self, gap: &Gap) {
        tracing::warn!(?gap, "history lacks what is gone from the log");
    }

    fn flush(&mut self, now: Timestamp) -> Result<(), SinkError> {
        self.0.flush(now).map_err(failed)
    }

    fn recover(&mut self, now: Timestamp) -> Result<(), SinkError> {
        self.0.recover(now).map(drop).map_err(failed)
    }

    fn wants_recovery(&self) -> bool {
        self.0.wants_recovery()
    }
}

fn failed(error: StoreError) -> SinkError {
    match error {
        StoreError::ReadOnly => SinkError::ReadOnly(error.to_string()),
        other => SinkError::Failed(Box::new(other)),
    }
}
