//! The telemetry store of this process: in `telemetry` of the data directory, fed from the ingest log.
//!
//! Its files are opened by a child first ([`look`]), because DuckDB may end its process when a file is damaged. That happens before
//! rights are given up: afterwards this process starts no other. The threads `nw-history` and `nw-upkeep` feed it and keep it in order.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{Builder, JoinHandle};
use std::time::Duration;

use anyhow::Context as _;
use netwatch_privilege::caps;
use netwatch_privilege::sandbox::Sandbox;
use netwatch_server::history::{HistorySink, keep_up};
use netwatch_server::ingest::{Feed, Ingest};
use netwatch_server::query::LiveStore;
use netwatch_storage::{Checker, Damaged, Depth, DuckStore, LookupPaths, Lookups, StoreConfig, TelemetryStore};
use netwatch_telemetry::clock::{SystemClock, now};
use netwatch_telemetry::health::{Component, Health, Importance, State};

/// The folder of the store in the data directory.
const FOLDER: &str = "telemetry";
/// The hidden command that checks files.
pub const CHECK: &str = "check-telemetry";
/// How long a check may be silent.
const PATIENCE: Duration = Duration::from_secs(30);

/// The store's settings.
fn config(data_dir: &Path) -> StoreConfig {
    StoreConfig::new(data_dir.join(FOLDER))
}

/// Has a child open all files of the store; tells with which something is wrong.
///
/// # Errors
/// When the folder cannot be used.
pub fn look(data_dir: &Path) -> anyhow::Result<Damaged> {
    let program = std::env::current_exe().context("this program's own file cannot be found")?;
    let arguments = vec![CHECK.to_owned()];
    let checker = Checker { program, arguments, environment: Vec::new(), patience: PATIENCE };
    Ok(netwatch_storage::inspect(&StoreConfig { checker: Some(checker), ..config(data_dir) })?)
}

/// What the child does: gives up its rights, and opens the files.
///
/// # Errors
/// When rights cannot be given up, or DuckDB does not start.
pub fn check(depth: &str, root: &Path, files: &[PathBuf]) -> anyhow::Result<()> {
    let depth = Depth::from_word(depth).with_context(|| format!("`{depth}` is no depth"))?;
    caps::drop_all()?;
    let _walls = Sandbox::new().write(root).connect_only([]).enforce()?;
    Ok(netwatch_storage::report_files(root, files, depth, &mut std::io::stdout())?)
}

/// The store, and its threads.
pub struct History {
    /// Where questions go.
    pub store: Arc<dyn TelemetryStore>,
    stop: Arc<AtomicBool>,
    threads: Vec<JoinHandle<()>>,
}

impl History {
    /// Opens the store and starts its threads. Without it everything else works: the log keeps what is to be stored.
    pub fn open(
        data_dir: &Path,
        damaged: &Damaged,
        ingest: &Arc<Ingest>,
        live: &Arc<LiveStore>,
        health: &Health,
    ) -> Option<Self> {
        let component = match health.component("telemetry store", Importance::Optional, now()) {
            Ok(component) => component,
            Err(error) => {
                tracing::error!(%error, "the telemetry store has no place in the health report");
                return None;
            }
        };
        let told = component.clone();
        Self::start(data_dir, damaged, ingest, live, component)
            .map_err(|error| {
                let text = format!("{error:#}");
                tracing::error!(error = text, "there is no history");
                told.set(State::Degraded(text), now());
            })
            .ok()
    }

    fn start(
        data_dir: &Path,
        damaged: &Damaged,
        ingest: &Arc<Ingest>,
        live: &Arc<LiveStore>,
        component: Component,
    ) -> anyhow::Result<Self> {
        let lookups = Arc::new(Lookups::new(LookupPaths::default()));
        let (store, events) = DuckStore::open_inspected(config(data_dir), lookups, damaged, now())?;
        live.note_events(events);
        component.set(State::Ok, now());
        let (store, stop) = (Arc::new(store), Arc::new(AtomicBool::new(false)));
        let store: Arc<dyn TelemetryStore> = store;
        let feed = Feed::new(Arc::clone(ingest), HistorySink::new(Arc::clone(&store)), Some(component))?;
        let stopped = Arc::clone(&stop);
        let feeding = spawn("nw-history", move || feed.run(&stopped))?;
        let (kept, live, stopped) = (Arc::clone(&store), Arc::clone(live), Arc::clone(&stop));
        let upkeep = spawn("nw-upkeep", move || keep_up(&*kept, &live, &SystemClock, &stopped))?;
        Ok(Self { store, stop, threads: vec![feeding, upkeep] })
    }

    /// Stores what is durable in the log, and ends. Blocks.
    pub fn close(self) {
        self.stop.store(true, Ordering::Relaxed);
        for thread in self.threads {
            if thread.join().is_err() {
                tracing::error!("a thread of the telemetry store ended by a defect");
            }
        }
    }
}

fn spawn(name: &str, work: impl FnOnce() + Send + 'static) -> anyhow::Result<JoinHandle<()>> {
    Builder::new().name(name.to_owned()).spawn(work).with_context(|| format!("cannot start the thread {name}"))
}
