//! The in-process session between agent and server: the same batches that would go over a wire, less the wire.
//!
//! The queue and its policy are the server's ([`InProcess`]); the thread `nw-ingest` ends when the agent has.

use std::cell::RefCell;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use anyhow::Context as _;
use netwatch_agent::Uplink;
use netwatch_model::Batch;
use netwatch_server::ingest::{InProcess, InProcessSender};
use netwatch_server::query::LiveStore;
use netwatch_telemetry::clock::SystemClock;
use netwatch_telemetry::metrics::{Metrics, Stage};

use super::stages::SessionStage;

/// The agent's end.
pub struct Session {
    sender: InProcessSender,
    stage: RefCell<SessionStage>,
}

impl Uplink for Session {
    fn try_send(&self, batch: Batch) -> Result<(), Batch> {
        let records = batch.records.len();
        let mut stage = self.stage.borrow_mut();
        stage.offer(&batch);
        self.sender.try_send(batch)?;
        stage.taken(records);
        Ok(())
    }
}

/// Joins an agent to `store`.
///
/// # Errors
/// When the system gives no thread.
pub fn join(store: &Arc<LiveStore>, metrics: &Metrics) -> anyhow::Result<Session> {
    let (sender, server) = InProcess::new(Arc::clone(store), SystemClock, metrics.stage(Stage::Ingest));
    let thread = std::thread::Builder::new().name("nw-ingest".to_owned());
    thread.spawn(move || server.run(&AtomicBool::new(false))).context("cannot start the thread of the store")?;
    Ok(Session { sender, stage: RefCell::new(SessionStage::new(metrics)) })
}
