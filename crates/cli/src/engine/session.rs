//! The in-process session between agent and server: the same batches that would go over a wire, less the wire.
//!
//! The queue and its policy are the server's ([`InProcess`]); the thread `nw-ingest` ends when the agent has.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use anyhow::Context as _;
use netwatch_agent::Uplink;
use netwatch_model::Batch;
use netwatch_server::ingest::{InProcess, InProcessSender};
use netwatch_server::query::LiveStore;
use netwatch_telemetry::clock::SystemClock;

/// The agent's end.
pub struct Session(InProcessSender);

impl Uplink for Session {
    fn try_send(&self, batch: Batch) -> Result<(), Batch> {
        self.0.try_send(batch)
    }
}

/// Joins an agent to `store`.
///
/// # Errors
/// When the system gives no thread.
pub fn join(store: &Arc<LiveStore>) -> anyhow::Result<Session> {
    let (sender, server) = InProcess::new(Arc::clone(store), SystemClock);
    let thread = std::thread::Builder::new().name("nw-ingest".to_owned());
    thread.spawn(move || server.run(&AtomicBool::new(false))).context("cannot start the thread of the store")?;
    Ok(Session(sender))
}
