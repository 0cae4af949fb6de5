//! The watchdog: when the main loop stands still, the process ends, and the service manager starts it anew.
//!
//! It counts its own looks and reads no clock: a host that slept for an hour wakes with a loop that did nothing wrong.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::thread::Builder;
use std::time::Duration;

use crate::run::BuildError;

/// Between two looks.
const LOOK: Duration = Duration::from_secs(30);
/// Looks without a beat after which the loop stands still: ten minutes.
const MOST: u32 = 20;

/// Tells the watchdog that the loop goes on. Clones are of one loop.
#[derive(Clone, Debug, Default)]
pub struct Beats(Arc<AtomicU32>);

impl Beats {
    /// The loop goes on.
    pub fn beat(&self) {
        self.0.store(0, Ordering::Relaxed);
    }

    /// A look; whether the loop stands still.
    fn look(&self) -> bool {
        self.0.fetch_add(1, Ordering::Relaxed) >= MOST
    }
}

/// Watches on a thread of its own until `stop` is set.
///
/// # Errors
/// When the system gives no thread.
pub fn watch(beats: Beats, stop: Arc<AtomicBool>) -> Result<(), BuildError> {
    let body = move || {
        while !stop.load(Ordering::Relaxed) {
            std::thread::sleep(LOOK);
            if beats.look() {
                tracing::error!("the agent has stood still for ten minutes: it ends, so that it is started anew");
                std::process::abort();
            }
        }
    };
    Builder::new().name("nw-watchdog".to_owned()).stack_size(64 << 10).spawn(body).map_err(BuildError::Thread)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ten_minutes_without_a_beat_are_too_long() {
        let beats = Beats::default();
        assert!((0..MOST).all(|_| !beats.look()));
        beats.beat();
        assert!((0..MOST).all(|_| !beats.look()));
        assert!(beats.look());
    }
}
