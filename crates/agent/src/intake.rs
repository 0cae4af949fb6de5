//! How collectors hand records to the agent.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{SyncSender, TrySendError};

use netwatch_model::Record;

/// The agent has ended: nothing more is taken.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("the agent has ended and takes no more records")]
pub struct Refused;

/// A collector's end of the way to the agent; clones are other collectors. The agent ends when all of them are gone.
#[derive(Clone, Debug)]
pub struct Intake {
    pub(crate) sender: SyncSender<Vec<Record>>,
    pub(crate) lost: Arc<AtomicU64>,
}

impl Intake {
    /// Hands records over without waiting. When there is no room they are dropped and counted.
    ///
    /// # Errors
    /// When the agent has ended.
    pub fn give(&self, records: Vec<Record>) -> Result<(), Refused> {
        if records.is_empty() {
            return Ok(());
        }
        match self.sender.try_send(records) {
            Ok(()) => Ok(()),
            Err(TrySendError::Full(records)) => {
                self.lost.fetch_add(records.len() as u64, Ordering::Relaxed);
                Ok(())
            }
            Err(TrySendError::Disconnected(_)) => Err(Refused),
        }
    }

    /// Hands records over and waits until there is room: for sources that can wait, such as capture files.
    ///
    /// # Errors
    /// When the agent has ended.
    pub fn give_when_possible(&self, records: Vec<Record>) -> Result<(), Refused> {
        if records.is_empty() {
            return Ok(());
        }
        self.sender.send(records).map_err(|_| Refused)
    }
}
