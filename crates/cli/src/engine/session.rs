//! The in-process session between agent and server: the same batches that would go over a wire, less the wire.
//!
//! One thread, `nw-ingest`, takes batches from a queue of [`QUEUE`] and applies them to the store. When the queue is full the batch
//! goes back to the agent, which keeps it and tries again. The thread ends when the agent has.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};

use anyhow::Context as _;
use netwatch_agent::Uplink;
use netwatch_model::Batch;
use netwatch_server::query::LiveStore;
use netwatch_telemetry::clock::now;

/// Batches that may wait for the store: two seconds of a live capture.
const QUEUE: usize = 8;

/// The agent's end.
pub struct InProcess(SyncSender<Batch>);

impl Uplink for InProcess {
    fn try_send(&self, batch: Batch) -> Result<(), Batch> {
        self.0.try_send(batch).map_err(|refused| match refused {
            TrySendError::Full(batch) | TrySendError::Disconnected(batch) => batch,
        })
    }
}

/// Joins an agent to `store`.
///
/// # Errors
/// When the system gives no thread.
pub fn join(store: &Arc<LiveStore>) -> anyhow::Result<InProcess> {
    let (sender, batches) = sync_channel(QUEUE);
    let store = Arc::clone(store);
    let thread = std::thread::Builder::new().name("nw-ingest".to_owned());
    thread.spawn(move || ingest(&store, &batches)).context("cannot start the thread of the store")?;
    Ok(InProcess(sender))
}

fn ingest(store: &LiveStore, batches: &Receiver<Batch>) {
    for batch in batches {
        store.apply(&batch, now());
    }
}
