//! The in-process session between agent and server: the same batches that would go over a wire, less the wire.
//!
//! The queue and its policy are the server's ([`InProcess`]); the thread `nw-ingest` ends when the agent has. With a log, what is
//! durable of each batch goes there, too.

use std::cell::RefCell;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::thread::JoinHandle;

use anyhow::Context as _;
use netwatch_agent::Uplink;
use netwatch_model::Batch;
use netwatch_server::ingest::{HOME, InProcess, InProcessSender, Ingest};
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

/// Joins an agent to `store`; tells the thread that takes its batches in.
///
/// # Errors
/// When the system gives no thread.
pub fn join(
    store: &Arc<LiveStore>,
    log: Option<&Arc<Ingest>>,
    metrics: &Metrics,
) -> anyhow::Result<(Session, JoinHandle<()>)> {
    let (sender, server) = InProcess::new(Arc::clone(store), SystemClock, metrics.stage(Stage::Ingest));
    let server = match log {
        Some(log) => server.kept_in(Arc::clone(log), HOME),
        None => server,
    };
    let thread = std::thread::Builder::new().name("nw-ingest".to_owned());
    let thread = thread.spawn(move || server.run(&AtomicBool::new(false)));
    let thread = thread.context("cannot start the thread of the store")?;
    Ok((Session { sender, stage: RefCell::new(SessionStage::new(metrics)) }, thread))
}
