//! The thread that keeps the table of socket owners up to date.

use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Duration;

use netwatch_telemetry::clock::ClockSource;

use crate::process::{Attributor, OwnerLookup, ProcessTable};

/// How often it is asked whether a snapshot is due.
const PACE: Duration = Duration::from_millis(100);

/// Tells the thread to end.
#[derive(Debug, Default)]
pub struct Stop {
    stopped: Mutex<bool>,
    told: Condvar,
}

impl Stop {
    /// Ends the thread, at once unless a snapshot is being taken.
    pub fn stop(&self) {
        *self.stopped.lock().unwrap_or_else(PoisonError::into_inner) = true;
        self.told.notify_all();
    }

    /// Waits; true when it is time to end.
    fn wait(&self, time: Duration) -> bool {
        let stopped = self.stopped.lock().unwrap_or_else(PoisonError::into_inner);
        if *stopped {
            return true;
        }
        *self.told.wait_timeout(stopped, time).unwrap_or_else(PoisonError::into_inner).0
    }
}

/// Takes snapshots whenever they are due, until told to stop. A failed one is tried again when the next is due.
pub fn run(table: &Arc<ProcessTable>, mut lookup: Box<dyn OwnerLookup>, clock: &dyn ClockSource, stop: &Stop) {
    let mut attributor = Attributor::new(Arc::clone(table));
    let mut failed = false;
    loop {
        match attributor.run(|| clock.monotonic(), &mut *lookup) {
            Ok(taken) => failed &= !taken,
            Err(error) if !failed => {
                failed = true;
                tracing::warn!(error = &error as &dyn std::error::Error, "processes of flows cannot be looked up");
            }
            Err(_) => {}
        }
        if stop.wait(PACE) {
            return;
        }
    }
}
