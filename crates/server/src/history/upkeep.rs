//! Once a minute: hours are rolled up, files rewritten and deleted, the disk looked at; what people should know becomes an event.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use netwatch_storage::TelemetryStore;
use netwatch_telemetry::clock::ClockSource;

use crate::query::LiveStore;

/// How often.
const EVERY: Duration = Duration::from_secs(60);
/// How often the shutdown flag is looked at.
const LOOK: Duration = Duration::from_millis(100);

/// Keeps a store in order until the flag is set; on a thread of its own. `also` is done as often.
pub fn keep_up(
    store: &dyn TelemetryStore,
    live: &LiveStore,
    clock: &dyn ClockSource,
    stop: &AtomicBool,
    also: impl Fn(),
) {
    let mut next = clock.monotonic();
    while !stop.load(Ordering::Relaxed) {
        if clock.monotonic() >= next {
            match store.upkeep(clock.now()) {
                Ok(done) => {
                    tracing::debug!(
                        rolled_hours = done.rolled_hours,
                        compacted = done.compacted,
                        deleted = done.deleted,
                        "upkeep"
                    );
                    live.note_events(done.events);
                }
                Err(error) => tracing::warn!(
                    error = netwatch_storage::error_text(&error),
                    "upkeep of the telemetry store failed; it is tried again in a minute"
                ),
            }
            also();
            next = clock.monotonic() + EVERY;
        }
        std::thread::sleep(LOOK);
    }
}
