//! The server's end of the in-process session: batches come through a bounded queue and are taken in by one thread.
//!
//! When the queue is full the batch is given back: the agent keeps it, tries again, and counts what it must drop. A batch that was
//! taken in is done with. What the log does not take stays in the live store alone and is counted: an agent of the same machine has
//! no better place for it. [`InProcess::run`] ends when the shutdown flag is set and the queue is empty, or when no sender is left.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, TrySendError, sync_channel};
use std::time::Duration;

use netwatch_model::Batch;
use netwatch_model::people::WorkspaceId;
use netwatch_telemetry::clock::ClockSource;
use netwatch_telemetry::metrics::StageCounters;
use netwatch_telemetry::traces::TARGET;
use tracing::info_span;

use super::log::Ingest;
use super::thin::Thinner;
use crate::query::LiveStore;

/// Batches that may wait: at four a second and agent four seconds, and never more than 320 000 records.
pub(super) const QUEUE: usize = 16;
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
    log: Option<Log>,
    clock: C,
    stage: StageCounters,
    queue: Receiver<Batch>,
}

/// Where what comes is kept.
#[derive(Debug)]
struct Log {
    log: Arc<Ingest>,
    workspace: WorkspaceId,
    thinner: Thinner,
}

impl<C: ClockSource> InProcess<C> {
    /// Both ends of a session with that store; records are counted in `stage`.
    #[must_use]
    pub fn new(store: Arc<LiveStore>, clock: C, stage: StageCounters) -> (InProcessSender, Self) {
        let (sender, queue) = sync_channel(QUEUE);
        (InProcessSender { queue: sender }, Self { store, log: None, clock, stage, queue })
    }

    /// What comes is also kept in that log, as of that workspace.
    #[must_use]
    pub fn kept_in(self, log: Arc<Ingest>, workspace: WorkspaceId) -> Self {
        Self { log: Some(Log { log, workspace, thinner: Thinner::default() }), ..self }
    }

    /// Takes batches in until the end; on a thread of its own.
    pub fn run(mut self, shutdown: &AtomicBool) {
        loop {
            match self.queue.recv_timeout(LOOK) {
                Ok(batch) => self.take(batch),
                Err(RecvTimeoutError::Timeout) if !shutdown.load(Ordering::Relaxed) => {}
                Err(_) => return,
            }
        }
    }

    fn take(&mut self, mut batch: Batch) {
        let _span = info_span!(target: TARGET, "ingest.batch", records = batch.records.len()).entered();
        self.stage.received.inc_by(batch.records.len() as u64);
        self.store.tell_route_changes(&mut batch);
        let live = info_span!(target: TARGET, "ingest.live");
        let applied = live.in_scope(|| self.store.apply(&batch, self.clock.now()));
        self.stage.stored.inc_by(applied.records as u64);
        if let Some(Log { log, workspace, thinner }) = &mut self.log {
            thinner.thin(&mut batch.records);
            let _span = info_span!(target: TARGET, "ingest.log", records = batch.records.len()).entered();
            // It counts what it refuses, says so in its health, and tells the range of time when it is over.
            let _counted = log.take_once(*workspace, batch);
        }
    }
}
