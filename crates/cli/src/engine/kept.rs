//! What outlives this process: the log of what comes in, in `ingest` of the data directory.
//!
//! The thread `nw-ingest-log` commits and tidies it. It ends last, when everybody who writes has ended. What comes from a capture
//! file is not kept: it is in the file.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{Builder, JoinHandle};

use anyhow::Context as _;
use netwatch_model::{Event, EventKind, Record, Severity};
use netwatch_server::ingest::{Door, HOME, Ingest, IngestMetrics};
use netwatch_server::query::LiveStore;
use netwatch_spool::{Config, Directory, Recovery, SpoolMetrics};
use netwatch_telemetry::clock::{SystemClock, now};
use netwatch_telemetry::health::{Component, Health, Importance, State};

/// The folder of the log in the data directory.
const FOLDER: &str = "ingest";

/// The log, and the thread that keeps it.
pub struct Kept {
    /// Where batches go.
    pub ingest: Arc<Ingest>,
    /// Where records of programs go.
    pub door: Arc<Door>,
    stop: Arc<AtomicBool>,
    keeper: JoinHandle<()>,
}

impl Kept {
    /// Opens the log and starts its thread.
    ///
    /// # Errors
    /// When another Netwatch has it, or its folder cannot be used.
    pub fn open(
        data_dir: &Path,
        metrics: (SpoolMetrics, IngestMetrics),
        live: &Arc<LiveStore>,
        health: &Health,
    ) -> anyhow::Result<Self> {
        let component = health.component("ingest log", Importance::Optional, now())?;
        let files = Arc::new(Directory::new(&data_dir.join(FOLDER)));
        let config = Config::ingest(netwatch_server::ingest::consumers(true));
        let (ingest, recovery) = Ingest::open(config, files, Arc::new(SystemClock), metrics)?;
        tell(&recovery);
        if let Some(event) = loss(&recovery) {
            // What the log does not take now is told live alone.
            let _taken = ingest.take_own(HOME, vec![Record::Event(event.clone())]);
            live.note_events([event]);
        }
        component.set(State::Ok, now());
        let (ingest, stop) = (Arc::new(ingest), Arc::new(AtomicBool::new(false)));
        let keeper = keep(Arc::clone(&ingest), Arc::clone(live), component, Arc::clone(&stop))?;
        let door = Arc::new(Door::new(Arc::clone(&ingest), Arc::clone(live), HOME));
        Ok(Self { ingest, door, stop, keeper })
    }

    /// Makes everything durable and ends. Blocks.
    pub fn close(self) {
        self.stop.store(true, Ordering::Relaxed);
        if self.keeper.join().is_err() {
            tracing::error!("the thread of the log ended by a defect");
        }
    }
}

fn keep(
    ingest: Arc<Ingest>,
    live: Arc<LiveStore>,
    health: Component,
    stop: Arc<AtomicBool>,
) -> anyhow::Result<JoinHandle<()>> {
    let thread = Builder::new().name("nw-ingest-log".to_owned());
    let body = move || ingest.keep(&live, HOME, Some(&health), &stop);
    thread.spawn(body).context("cannot start the thread of the log")
}

/// Says what a crash or the disk has cost, if anything.
fn tell(recovery: &Recovery) {
    let Recovery { segments, intact, torn_bytes, damaged_headers, lost_checkpoints, .. } = recovery;
    let lost = recovery.lost();
    if lost > 0 || *damaged_headers > 0 || !lost_checkpoints.is_empty() {
        let checkpoints = lost_checkpoints.join(", ");
        tracing::warn!(segments, intact, lost, torn_bytes, damaged_headers, checkpoints, "the log was damaged");
    } else {
        tracing::debug!(segments, intact, torn_bytes, "the log is open");
    }
}

/// What is told of records that damage of the log has cost; checkpoints and headers cost none.
fn loss(recovery: &Recovery) -> Option<Event> {
    let mut parts = Vec::new();
    if let (Some(first), Some(last)) = (recovery.damaged.first(), recovery.damaged.last()) {
        let batches: u64 = recovery.damaged.iter().map(|gap| gap.records).sum();
        parts.push(format!("{batches} batches from position {} to {} are damaged", first.first, last.last));
    }
    if let Some(missing) = &recovery.missing {
        let (end, last) = (missing.first.before(), missing.last);
        parts.push(format!("batches were acknowledged up to position {last} and are there up to {end} only"));
    }
    if parts.is_empty() {
        return None;
    }
    let text = format!("the log lost something: {}; it is lost unless history has it already", parts.join(", and "));
    Some(Event {
        time: now(),
        kind: EventKind::StoreDamaged,
        severity: Severity::Warning,
        subject: "ingest log".into(),
        text: text.as_str().into(),
    })
}
