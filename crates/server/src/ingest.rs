//! The server's end of the in-process session: batches come through a bounded queue and are taken in by one thread.
//!
//! ```text
//! agent ─try_send─► queue (QUEUE batches) ─► InProcess::run ─apply─► live store
//! ```
//!
//! When the queue is full the batch is given back: the agent keeps it, tries again, and counts what it must drop. A batch that was
//! taken in is done with: the store knows it by its key, so that sending it again changes nothing. [`InProcess::run`] ends when the
//! shutdown flag is set and the queue is empty, or when no sender is left.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, TrySendError, sync_channel};
use std::time::Duration;

use netwatch_model::Batch;
use netwatch_telemetry::clock::ClockSource;
use netwatch_telemetry::metrics::StageCounters;

use crate::query::LiveStore;

/// Batches that may wait: at four a second and agent four seconds, and never more than 320 000 records.
const QUEUE: usize = 16;
/// How often the shutdown flag is looked at while nothing comes.
const LOOK: Duration = Duration::from_millis(50);

/// The agent's end.
#[derive(Clone, Debug)]
pub struct InProcessSender {
    queue: SyncSender<Batch>,
}

impl InProcessSender {
    /// Hands a batch over without waiting.
    ///
    /// # Errors
    /// Gives the batch back when the queue is full or the server has ended.
    pub fn try_send(&self, batch: Batch) -> Result<(), Batch> {
        self.queue.try_send(batch).map_err(|e| match e {
            TrySendError::Full(batch) | TrySendError::Disconnected(batch) => batch,
        })
    }
}

/// The server's end.
#[derive(Debug)]
pub struct InProcess<C> {
    store: Arc<LiveStore>,
    clock: C,
    stage: StageCounters,
    queue: Receiver<Batch>,
}

impl<C: ClockSource> InProcess<C> {
    /// Both ends of a session with that store; records are counted in `stage`.
    #[must_use]
    pub fn new(store: Arc<LiveStore>, clock: C, stage: StageCounters) -> (InProcessSender, Self) {
        let (sender, queue) = sync_channel(QUEUE);
        (InProcessSender { queue: sender }, Self { store, clock, stage, queue })
    }

    /// Takes batches in until the end; on a thread of its own.
    pub fn run(self, shutdown: &AtomicBool) {
        loop {
            match self.queue.recv_timeout(LOOK) {
                Ok(batch) => self.take(&batch),
                Err(RecvTimeoutError::Timeout) if !shutdown.load(Ordering::Relaxed) => {}
                Err(_) => return,
            }
        }
    }

    fn take(&self, batch: &Batch) {
        self.stage.received.inc_by(batch.records.len() as u64);
        let applied = self.store.apply(batch, self.clock.now());
        self.stage.stored.inc_by(applied.records as u64);
    }
}

#[cfg(test)]
mod tests {
    use netwatch_model::Timestamp;
    use netwatch_telemetry::clock::ManualClock;
    use netwatch_telemetry::metrics::{BuildInfo, Metrics, Stage};

    use super::*;
    use crate::store::{StoreConfig, batch_of, record};

    fn session() -> (Arc<LiveStore>, InProcessSender, InProcess<ManualClock>) {
        let store = Arc::new(LiveStore::new(StoreConfig::default()));
        let clock = ManualClock::at(Timestamp::from_secs(1000));
        let stage = Metrics::new(BuildInfo { version: "0", revision: "0" }).stage(Stage::Ingest);
        let (sender, server) = InProcess::new(Arc::clone(&store), clock, stage);
        (store, sender, server)
    }

    #[test]
    fn what_was_sent_before_the_end_is_taken_in() {
        let (store, sender, server) = session();
        for n in 1..=5_u32 {
            sender.try_send(batch_of(n.into(), [record(n, 999)])).unwrap();
        }
        let stage = server.stage.clone();
        server.run(&AtomicBool::new(true));
        assert_eq!((stage.received.get(), stage.stored.get()), (5, 5));
        assert_eq!(store.statistics(Timestamp::from_secs(1000)).store.batches, 5);
        assert!(sender.try_send(batch_of(6, [])).is_err(), "nobody takes it in any more");
    }

    #[test]
    fn a_full_queue_gives_the_batch_back() {
        let (_store, sender, _server) = session();
        let mut sequence = 0;
        let refused = loop {
            sequence += 1;
            if let Err(batch) = sender.try_send(batch_of(sequence, [])) {
                break batch;
            }
        };
        assert_eq!((sequence, refused.key.sequence), (QUEUE as u64 + 1, QUEUE as u64 + 1));
    }
}
