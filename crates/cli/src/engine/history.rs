//! The telemetry store of this process: in `telemetry` of the data directory, fed from the ingest log.
//!
//! Its files are opened by a child first ([`look`]), because DuckDB may end its process when a file is damaged. That happens before
//! rights are given up: afterwards this process starts no other. The threads `nw-history` and `nw-upkeep` feed it and keep it in order.
//! They start when the store has been told how much to keep: nothing is deleted by limits that nobody wants.

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
use netwatch_storage::{
    Checker, Damaged, Depth, DuckStore, Keep, Kind, LookupPaths, Retention, StoreConfig, TelemetryStore,
};
use netwatch_telemetry::clock::{SystemClock, now};
use netwatch_telemetry::health::{Component, Health, Importance, State};

use super::addresses::AddressFiles;

/// The folder of the store in the data directory.
const FOLDER: &str = "telemetry";
/// The hidden command that checks files.
pub const CHECK: &str = "check-telemetry";
/// How long a check may be silent.
const PATIENCE: Duration = Duration::from_secs(30);

/// The store's settings. Everything is kept until the server says how much.
fn config(data_dir: &Path) -> StoreConfig {
    let mut retention = Retention::default();
    for kind in Kind::ALL {
        retention.set(kind, Keep { age: Duration::MAX, bytes: u64::MAX });
    }
    StoreConfig { retention, ..StoreConfig::new(data_dir.join(FOLDER)) }
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
    /// Countries, autonomous systems and names of addresses.
    pub addresses: Arc<AddressFiles>,
    component: Component,
    stop: Arc<AtomicBool>,
    threads: Vec<JoinHandle<()>>,
}

impl History {
    /// Opens the store. Without it everything else works: the log keeps what is to be stored.
    pub fn open(
        data_dir: &Path,
        damaged: &Damaged,
        lookups: LookupPaths,
        live: &LiveStore,
        health: &Health,
    ) -> Option<Self> {
        let component = match health.component("telemetry store", Importance::Optional, now()) {
            Ok(component) => component,
            Err(error) => {
                tracing::error!(%error, "the telemetry store has no place in the health report");
                return None;
            }
        };
        let opened = AddressFiles::new(lookups, health).and_then(|addresses| {
            let (store, events) =
                DuckStore::open_inspected(config(data_dir), Arc::clone(addresses.lookups()), damaged, now())?;
            live.note_events(events);
            component.set(State::Ok, now());
            let (store, addresses) = (Arc::new(store), Arc::new(addresses));
            Ok(Self { store, addresses, component: component.clone(), stop: Arc::default(), threads: Vec::new() })
        });
        opened.map_err(|error| tell(&component, &error)).ok()
    }

    /// Starts the threads, when the store knows how much it is to keep.
    pub fn start(&mut self, ingest: &Arc<Ingest>, live: &Arc<LiveStore>) {
        if let Err(error) = self.spawn_all(ingest, live) {
            tell(&self.component, &error);
        }
    }

    fn spawn_all(&mut self, ingest: &Arc<Ingest>, live: &Arc<LiveStore>) -> anyhow::Result<()> {
        let sink = HistorySink::new(Arc::clone(&self.store));
        let feed = Feed::new(Arc::clone(ingest), sink, Some(self.component.clone()))?;
        let stopped = Arc::clone(&self.stop);
        self.threads.push(spawn("nw-history", move || feed.run(&stopped))?);
        let (store, live, stopped) = (Arc::clone(&self.store), Arc::clone(live), Arc::clone(&self.stop));
        let addresses = Arc::clone(&self.addresses);
        let upkeep = move || keep_up(&*store, &live, &SystemClock, &stopped, || addresses.look());
        self.threads.push(spawn("nw-upkeep", upkeep)?);
        Ok(())
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

fn tell(component: &Component, error: &anyhow::Error) {
    let text = format!("{error:#}");
    tracing::error!(error = text, "there is no history");
    component.set(State::Degraded(text), now());
}

fn spawn(name: &str, work: impl FnOnce() + Send + 'static) -> anyhow::Result<JoinHandle<()>> {
    Builder::new().name(name.to_owned()).spawn(work).with_context(|| format!("cannot start the thread {name}"))
}
