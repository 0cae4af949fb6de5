//! What a question may cost: time, rows, and the patience of the one who asked.

use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{RecvTimeoutError, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

type Stop = Box<dyn Fn() + Send>;

/// Stops a question from outside. Clones stop the same question.
#[derive(Clone, Default)]
pub struct Cancel {
    inner: Arc<Inner>,
}

#[derive(Default)]
struct Inner {
    cancelled: AtomicBool,
    stop: Mutex<Option<Stop>>,
}

impl Cancel {
    /// Stops the question: whoever waits for it gets [`StoreError::Cancelled`](crate::StoreError::Cancelled) soon.
    pub fn cancel(&self) {
        self.inner.cancelled.store(true, Ordering::SeqCst);
        if let Some(stop) = &*self.inner.stop.lock().unwrap_or_else(PoisonError::into_inner) {
            stop();
        }
    }

    /// Whether the question was stopped.
    #[must_use]
    pub fn is_cancelled(&self) -> bool {
        self.inner.cancelled.load(Ordering::SeqCst)
    }

    /// Has `stop` called when the question is stopped, from now until [`Cancel::disarm`].
    pub(crate) fn arm(&self, stop: impl Fn() + Send + 'static) {
        *self.inner.stop.lock().unwrap_or_else(PoisonError::into_inner) = Some(Box::new(stop));
        if self.is_cancelled() {
            self.cancel();
        }
    }

    pub(crate) fn disarm(&self) {
        *self.inner.stop.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }
}

impl fmt::Debug for Cancel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cancel").field("cancelled", &self.is_cancelled()).finish_non_exhaustive()
    }
}

/// What one question may cost.
#[derive(Clone, Debug)]
pub struct Budget {
    /// Longest time.
    pub deadline: Duration,
    /// Most groups, series or points that may be gathered in memory.
    pub max_rows: usize,
    /// Stops it earlier.
    pub cancel: Cancel,
}

impl Default for Budget {
    /// Ten seconds and two million rows.
    fn default() -> Self {
        Self { deadline: Duration::from_secs(10), max_rows: 2_000_000, cancel: Cancel::default() }
    }
}

/// Cancels when the deadline passes; dropped when the question is answered. Waiting is the only clock that it needs.
pub(crate) struct Deadline {
    done: Option<SyncSender<()>>,
}

impl Deadline {
    pub(crate) fn watch(budget: &Budget) -> Self {
        let (done, answered) = sync_channel(1);
        let (cancel, deadline) = (budget.cancel.clone(), budget.deadline);
        let spawned = std::thread::Builder::new().name("store-deadline".to_owned()).spawn(move || {
            if answered.recv_timeout(deadline) == Err(RecvTimeoutError::Timeout) {
                cancel.cancel();
            }
        });
        match spawned {
            Ok(_) => Self { done: Some(done) },
            Err(e) => {
                tracing::warn!(error = %e, "a query runs without a deadline");
                Self { done: None }
            }
        }
    }
}

impl Drop for Deadline {
    fn drop(&mut self) {
        drop(self.done.take());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_deadline_cancels_and_an_answer_stops_it() {
        let budget = Budget { deadline: Duration::from_millis(1), ..Budget::default() };
        let (told, heard) = sync_channel(1);
        budget.cancel.arm(move || told.send(()).unwrap_or_default());
        let watch = Deadline::watch(&budget);
        heard.recv_timeout(Duration::from_secs(10)).expect("the deadline passes");
        assert!(budget.cancel.is_cancelled());
        drop(watch);
        let patient = Budget::default();
        drop(Deadline::watch(&patient));
        assert!(!patient.cancel.is_cancelled());
    }

    #[test]
    fn a_question_stopped_before_it_began_is_stopped_at_once() {
        let (cancel, (told, heard)) = (Cancel::default(), sync_channel(1));
        cancel.cancel();
        cancel.arm(move || told.send(()).unwrap_or_default());
        heard.try_recv().expect("called by arming");
    }
}
