//! Where records of programs go: the same way as those of agents.
//!
//! The port is what the routes need; the implementation is the ingest of the server, which joins after the server is built
//! ([`crate::Live::taking_in_by`]). Without one, events stand in the live store alone and samples are refused.

use std::sync::{Arc, OnceLock};

use netwatch_model::Record;

use crate::fault::Fault;
use crate::query::LiveStore;

/// Takes records in for good. Calls block: they come on threads that may.
pub trait Intake: Send + Sync {
    /// Takes in what a program sent; when this returns, the records outlive a power cut.
    ///
    /// # Errors
    /// Nothing was taken in; the text tells why.
    fn take(&self, records: Vec<Record>) -> Result<(), IntakeError>;
}

/// Records were not taken in.
#[derive(Debug, thiserror::Error)]
pub enum IntakeError {
    /// The disk is nearly full.
    #[error("the disk is nearly full and nothing new is taken in: it goes on by itself when there is room")]
    ReadOnly,
    /// More comes than can be taken in.
    #[error("more comes in than can be kept: send it again a little later")]
    Busy,
    /// The records cannot be kept.
    #[error("the records cannot be kept now; the log tells more")]
    Failed,
}

/// A place for an intake that comes later.
#[derive(Default)]
pub(crate) struct IntakeSlot(OnceLock<Arc<dyn Intake>>);

impl IntakeSlot {
    /// The intake from here on; the first one stays.
    pub(crate) fn fill(&self, intake: Arc<dyn Intake>) {
        _ = self.0.set(intake);
    }

    /// Takes records in.
    pub(crate) fn take(&self, live: &LiveStore, records: Vec<Record>) -> Result<(), Fault> {
        match self.0.get() {
            Some(intake) => Ok(intake.take(records)?),
            None if records.iter().all(|r| matches!(r, Record::Event(_))) => {
                live.note_events(records.into_iter().filter_map(|r| match r {
                    Record::Event(event) => Some(event),
                    _ => None,
                }));
                Ok(())
            }
            None => Err(Fault::unavailable("this server keeps no samples of programs: it has no telemetry store")),
        }
    }
}

impl From<IntakeError> for Fault {
    fn from(error: IntakeError) -> Self {
        let detail = error.to_string();
        match error {
            IntakeError::ReadOnly => Self::read_only(detail),
            IntakeError::Busy | IntakeError::Failed => Self::unavailable(detail),
        }
    }
}
