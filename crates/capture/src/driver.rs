//! Runs capture: the threads around the [`Worker`](crate::worker::Worker).
//!
//! | thread | owns | waits for | ends when |
//! |---|---|---|---|
//! | the caller of [`Capture::run`], live | netlink, life cycle, meters | netlink, shutdown, the tick | shutdown |
//! | the caller of [`Capture::run`], file | the file, the flow table | the pace, shutdown | shutdown or the file's end |
//! | `capture-N`, one a live worker | flow table N, ring N of each interface | rings, commands, shutdown, the tick | shutdown |
//! | `capture-owners`, live | the owner lookup | its pace of 100 ms | shutdown |
//! | `capture-records` | the [`RecordSink`] | the queue of records | all senders are gone |
//!
//! Queues: commands to a worker (depth 16, the supervisor waits: a worker takes them at each turn of its loop); records to
//! `capture-records` (depth 8 batches of one tick each). When the queue of records is full, a live worker throws its batch away
//! and counts the records ([`Metric::RecordsDropped`](netwatch_model::Metric)), because frames do not wait; a file waits.
//!
//! Shutdown: workers read what their rings hold, say the last records and end; then the queue is emptied and [`Capture::run`]
//! returns. Nothing is spawned, opened or bound before `run`.

use std::io;
use std::os::fd::OwnedFd;
use std::sync::Arc;

use netwatch_model::Record;
use netwatch_telemetry::clock::ClockSource;

use crate::apps::AppTable;
use crate::config::FlowConfig;
use crate::file::FileError;
use crate::interface::monitor::MonitorError;
use crate::process::{OwnerLookup, ProcessTable};
use crate::source::Source;
use signal::Signal;

mod live;
mod meter;
mod outlet;
mod owners;
mod reader;
mod replay;
pub mod signal;

/// Gives packet sockets: this process with its own rights, or a broker that has kept them.
pub trait OpenSocket: Send + Sync {
    /// A socket of `AF_PACKET`, `SOCK_RAW`, protocol 0 (so that it receives nothing yet), closed on exec.
    ///
    /// # Errors
    /// [`io::ErrorKind::PermissionDenied`] when there is no right to capture. Users read its text: it tells what to do.
    fn open(&self) -> io::Result<OwnedFd>;
}

/// Opens sockets with the rights of this process.
#[derive(Clone, Copy, Debug, Default)]
pub struct OwnRights;

impl OpenSocket for OwnRights {
    fn open(&self) -> io::Result<OwnedFd> {
        crate::os::packet_socket()
    }
}

/// Takes records away. Called on a thread of its own, which may be made to wait.
pub trait RecordSink: Send {
    /// Takes the records of one tick.
    fn take(&mut self, records: Vec<Record>);
}

impl<F: FnMut(Vec<Record>) + Send> RecordSink for F {
    fn take(&mut self, records: Vec<Record>) {
        self(records);
    }
}

/// What to capture and how.
#[derive(Clone, Debug)]
pub struct CaptureConfig {
    /// Where frames come from.
    pub source: Source,
    /// Worker threads, 1 to 64; a file has one. See [`default_workers`].
    pub workers: usize,
    /// The flow engine.
    pub flow: FlowConfig,
}

/// What capture needs of others.
pub struct Dependencies {
    /// Gives packet sockets.
    pub sockets: Arc<dyn OpenSocket>,
    /// The time.
    pub clock: Arc<dyn ClockSource>,
    /// Names of applications.
    pub apps: Arc<AppTable>,
    /// A secret of this run, which keys the hashes of the flow tables.
    pub seed: [u64; 4],
    /// Where records go.
    pub sink: Box<dyn RecordSink>,
    /// Tells the processes of this machine's sockets, for live capture; absent: flows have no process.
    pub owners: Option<Box<dyn OwnerLookup>>,
}

/// Why capture has ended, when it was not told to.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CaptureError {
    /// The system refuses threads or event descriptors.
    #[error("cannot start the {what} of capture")]
    Start {
        /// Which part.
        what: &'static str,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// Interfaces cannot be watched.
    #[error("cannot follow the interfaces of this machine")]
    Monitor(#[source] MonitorError),
    /// The supervisor cannot wait any more.
    #[error("cannot wait for events of the interfaces")]
    Wait(#[source] io::Error),
    /// The capture file could not be opened, or is damaged; what was read of it has been said.
    #[error("the capture file could not be read to its end")]
    File(#[source] FileError),
    /// A defect in a worker.
    #[error("a capture thread ended by a defect; please report it with the log")]
    Defect,
}

/// A capture that is ready to run.
pub struct Capture {
    config: CaptureConfig,
    dependencies: Dependencies,
}

impl std::fmt::Debug for Capture {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Capture").field("config", &self.config).finish_non_exhaustive()
    }
}

/// The most worker threads: their number is the upper part of a flow's id.
pub const MAX_WORKERS: usize = 64;

/// One for every two processors, at least one.
#[must_use]
pub fn default_workers() -> usize {
    std::thread::available_parallelism().map_or(1, |n| (n.get() / 2).clamp(1, MAX_WORKERS))
}

impl Capture {
    /// Puts the parts together; does nothing yet.
    #[must_use]
    pub fn build(config: CaptureConfig, dependencies: Dependencies) -> Self {
        let workers = match config.source {
            Source::Live(_) => config.workers.clamp(1, MAX_WORKERS),
            Source::File(_) => 1,
        };
        Self { config: CaptureConfig { workers, ..config }, dependencies }
    }

    /// Captures until `shutdown` is raised, or to the end of the file. Records have all reached the sink when it returns.
    ///
    /// # Errors
    /// When capture cannot start, or cannot go on. An interface that is down, gone or forbidden is no error but an event.
    pub fn run(self, shutdown: &Signal) -> Result<(), CaptureError> {
        let Self { config, dependencies } = self;
        let Dependencies { sockets, clock, apps, seed, sink, owners } = dependencies;
        let owners = owners.filter(|_| matches!(config.source, Source::Live(_)));
        let processes = owners.as_ref().map(|_| Arc::new(ProcessTable::new()));
        let core = Core { workers: config.workers, flow: config.flow, clock, apps, seed, processes };
        let stop = owners::Stop::default();
        std::thread::scope(|scope| {
            let (outlet, drain) = outlet::channel();
            let drain = named("capture-records")
                .spawn_scoped(scope, move || drain.run(sink))
                .map_err(|source| CaptureError::Start { what: "thread for records", source })?;
            if let (Some(lookup), Some(table)) = (owners, &core.processes) {
                let (clock, stop) = (&*core.clock, &stop);
                named("capture-owners")
                    .spawn_scoped(scope, move || owners::run(table, lookup, clock, stop))
                    .map_err(|source| CaptureError::Start { what: "thread for processes", source })?;
            }
            let result = match config.source {
                Source::Live(source) => live::run(source, &core, &*sockets, &outlet, shutdown),
                Source::File(replay) => replay::run(&replay, &core, &outlet, shutdown),
            };
            core.processes.iter().for_each(|table| stop.stop(table));
            drop(outlet);
            drain.join().map_err(|_| CaptureError::Defect)?;
            result
        })
    }
}

/// What every worker is made of.
struct Core {
    workers: usize,
    flow: FlowConfig,
    clock: Arc<dyn ClockSource>,
    apps: Arc<AppTable>,
    seed: [u64; 4],
    processes: Option<Arc<ProcessTable>>,
}

fn named(name: &str) -> std::thread::Builder {
    std::thread::Builder::new().name(name.to_owned())
}
