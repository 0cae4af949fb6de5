//! The thread that keeps the table of socket owners up to date.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use netwatch_telemetry::clock::ClockSource;

use crate::process::{Attributor, OwnerLookup, ProcessTable};

/// The longest sleep: a call to wake up is not lost, but nothing should depend on that.
const SLEEP: Duration = Duration::from_secs(5);

/// Tells the thread to end.
#[derive(Debug, Default)]
pub struct Stop(AtomicBool);

impl Stop {
    /// Ends the thread that keeps `table`, at once unless a snapshot is being taken.
    pub fn stop(&self, table: &ProcessTable) {
        self.0.store(true, Ordering::Release);
        table.wake();
    }
}

/// Takes snapshots whenever they are due, until told to stop. A failed one is tried again when the next is due.
pub fn run(table: &Arc<ProcessTable>, mut lookup: Box<dyn OwnerLookup>, clock: &dyn ClockSource, stop: &Stop) {
    table.keep();
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
        if stop.0.load(Ordering::Acquire) {
            return;
        }
        let wait = attributor.wait(clock.monotonic(), table.wanted());
        if !wait.is_zero() {
            std::thread::park_timeout(wait.min(SLEEP));
        }
    }
}
