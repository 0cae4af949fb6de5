//! The way in for what programs send: into the log first, then to those who look.

use std::sync::Arc;

use netwatch_model::Record;
use netwatch_model::people::WorkspaceId;

use super::log::{Ingest, NotTaken, Taken, with_cause};
use crate::intake::{Intake, IntakeError};
use crate::query::LiveStore;

/// Takes records of programs in for good.
#[derive(Debug)]
pub struct Door {
    ingest: Arc<Ingest>,
    live: Arc<LiveStore>,
    workspace: WorkspaceId,
}

impl Door {
    /// A door to that log; events are seen live, too.
    #[must_use]
    pub const fn new(ingest: Arc<Ingest>, live: Arc<LiveStore>, workspace: WorkspaceId) -> Self {
        Self { ingest, live, workspace }
    }
}

impl Intake for Door {
    fn take(&self, records: Vec<Record>) -> Result<(), IntakeError> {
        let events: Vec<_> = records
            .iter()
            .filter_map(|record| if let Record::Event(event) = record { Some(event.clone()) } else { None })
            .collect();
        if let Taken::Written(ticket) = self.ingest.take_own(self.workspace, records).map_err(refused)? {
            self.ingest.commit(ticket).map_err(refused)?;
        }
        self.live.note_events(events);
        Ok(())
    }
}

fn refused(error: NotTaken) -> IntakeError {
    match error {
        error if error.is_full() => IntakeError::ReadOnly,
        error => {
            tracing::warn!(error = with_cause(&error), "what a program sent is not kept");
            IntakeError::Failed
        }
    }
}
