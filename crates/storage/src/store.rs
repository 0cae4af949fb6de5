//! The port over DuckDB: workspaces, positions, and when to write.
//!
//! Every workspace has a folder of its own, so that no question can reach another's files. One lock orders what comes in; questions run
//! beside it, each on a connection of its own. Opening everything anew waits until no question runs.

mod answers;
mod upkeep;

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, RwLock, RwLockReadGuard};
use std::thread::JoinHandle;
use std::time::Duration;

use netwatch_model::people::WorkspaceId;
use netwatch_model::{Batch, Event, EventKind, Record, Severity, Timestamp, Untrusted};

use crate::check::{self, Depth};
use crate::config::{StoreConfig, StoreLimits};
use crate::disk::DiskWatch;
use crate::duck::engine::Engine;
use crate::error::StoreError;
use crate::lookup::Lookups;
use crate::partition::Partition;
use crate::port::Taken;
use crate::tenant::{Tenant, Window, error_text, lock};

/// Folder of DuckDB's own temporary files.
const TEMPORARY: &str = "tmp";
/// File with the position up to which all files have everything.
const POSITION: &str = "position";

/// The store in files of DuckDB.
#[derive(Debug)]
pub struct DuckStore {
    config: StoreConfig,
    limits: RwLock<StoreLimits>,
    open: RwLock<Open>,
    intake: Mutex<Intake>,
    disk: DiskWatch,
    lookups: Arc<Lookups>,
    /// What was found damaged, until the next round of upkeep tells it.
    news: Mutex<Vec<Event>>,
}

#[derive(Debug)]
struct Open {
    engine: Arc<Engine>,
    tenants: RwLock<BTreeMap<WorkspaceId, Arc<Tenant>>>,
}

/// What is known about what comes in.
#[derive(Debug, Default)]
struct Intake {
    /// Of the last batch.
    position: u64,
    /// Up to which everything is in the files.
    stored: u64,
    /// When the oldest record that waits came.
    waiting_since: Option<Timestamp>,
    /// Flow records that are being written.
    aside: Option<Aside>,
    /// Something could not be written, or a file is damaged.
    broken: bool,
    /// Files that looked damaged when they were read.
    suspects: Vec<PathBuf>,
}

/// Flow records that are written while others come in.
#[derive(Debug)]
struct Aside {
    /// When the oldest of them came.
    since: Timestamp,
    /// Up to where everything is stored when they are.
    position: u64,
    thread: JoinHandle<Result<(), StoreError>>,
}

impl DuckStore {
    /// Opens the store, and tells what was found damaged.
    ///
    /// # Errors
    /// When the folder cannot be used or DuckDB does not start.
    pub fn open(config: StoreConfig, lookups: Arc<Lookups>, now: Timestamp) -> Result<(Self, Vec<Event>), StoreError> {
        let damaged = inspect(&config)?;
        Self::open_inspected(config, lookups, &damaged, now)
    }

    /// The same, after [`inspect`]: a process that may not start others any more is told what was found before.
    ///
    /// # Errors
    /// As [`DuckStore::open`].
    pub fn open_inspected(
        config: StoreConfig,
        lookups: Arc<Lookups>,
        damaged: &Damaged,
        now: Timestamp,
    ) -> Result<(Self, Vec<Event>), StoreError> {
        let (open, stored, events) = Open::new(&config, damaged, now)?;
        let intake = Intake { position: stored, stored, ..Intake::default() };
        let disk = DiskWatch::new(config.folder.clone(), config.watermarks);
        disk.look();
        let StoreConfig { retention, watermarks, .. } = &config;
        let limits = StoreLimits { retention: retention.clone(), watermarks: *watermarks, ..StoreLimits::default() };
        let store = Self {
            config,
            limits: RwLock::new(limits),
            open: RwLock::new(open),
            intake: Mutex::new(intake),
            disk,
            lookups,
            news: Mutex::default(),
        };
        Ok((store, events))
    }

    /// Opens everything anew; tells from where the log is needed and what was found damaged.
    ///
    /// # Errors
    /// As [`DuckStore::open`].
    pub fn reopen(&self, now: Timestamp) -> Result<(u64, Vec<Event>), StoreError> {
        let mut intake = lock(&self.intake);
        // What it could not write comes again.
        let _written = self.settle(&mut intake);
        let mut open = self.open.write().unwrap_or_else(PoisonError::into_inner);
        // The old instance lets go of its files before the new one opens them.
        let engine = Arc::new(Engine::start(&self.config)?);
        *open = Open { engine, tenants: RwLock::default() };
        let suspects = std::mem::take(&mut intake.suspects);
        let mut damaged = inspect(&self.config)?;
        damaged.extend(check::problems(self.config.checker.as_ref(), &self.config.folder, suspects, Depth::Full)?);
        let (fresh, stored, events) = Open::new(&self.config, &damaged, now)?;
        *open = fresh;
        *intake = Intake { position: stored, stored, ..Intake::default() };
        Ok((stored, events))
    }

    /// The settings at the start.
    #[must_use]
    pub const fn config(&self) -> &StoreConfig {
        &self.config
    }

    pub(crate) fn take(
        &self,
        workspace: WorkspaceId,
        position: u64,
        batch: Batch,
        now: Timestamp,
    ) -> Result<Taken, StoreError> {
        let mut intake = lock(&self.intake);
        if intake.broken {
            return Err(StoreError::Poisoned);
        }
        if self.disk.is_read_only() {
            return Err(StoreError::ReadOnly);
        }
        let open = self.inner();
        let tenant = open.tenant_or_create(&self.config, workspace)?;
        // Raw records may be gone while their rollups are kept; records so old are not taken in for the rollups alone.
        let window = {
            let limits = self.limits.read().unwrap_or_else(PoisonError::into_inner);
            let age = |kind| i64::try_from(limits.retention.of(kind).age.as_millis()).unwrap_or(i64::MAX);
            Window::at(now.millis(), age)
        };
        let (waiting, coming) = (tenant.waiting_flows(), flows_of(&batch));
        if self.is_enough(&intake, waiting, waiting + coming, |limit| limit + 1) {
            self.write_all(&open, &mut intake, ASIDE)?;
        }
        let waiting = tenant.waiting_flows();
        let result = tenant.append(position, batch, window).inspect_err(|_| intake.broken = true)?;
        intake.position = intake.position.max(position);
        let since = *intake.waiting_since.get_or_insert(now);
        if tenant.is_full(self.config.max_waiting_samples)
            || self.is_enough(&intake, waiting, tenant.waiting_flows(), |limit| limit)
            || now.since(since) >= self.config.flush_every
        {
            self.write_all(&open, &mut intake, ASIDE)?;
        }
        Ok(result)
    }

    /// Whether flow records are written when so many more wait, by how many fill a row group and how many fill two.
    fn is_enough(&self, intake: &Intake, before: usize, after: usize, reach: impl Fn(usize) -> usize) -> bool {
        let is_busy = intake.aside.as_ref().is_some_and(|aside| !aside.thread.is_finished());
        fills([1, 2].map(|groups| reach(self.config.max_waiting_flows.saturating_mul(groups))), is_busy, before, after)
    }

    pub(crate) fn write(&self) -> Result<(), StoreError> {
        let mut intake = lock(&self.intake);
        if intake.broken {
            return Err(StoreError::Poisoned);
        }
        self.write_all(&self.inner(), &mut intake, usize::MAX)
    }

    /// Writes what waits; of so many flow records or more on a thread of its own. The next ones are made ready beside it, and then wait.
    fn write_all(&self, open: &Open, intake: &mut Intake, aside: usize) -> Result<(), StoreError> {
        let Some(since) = intake.waiting_since.take() else { return self.settle(intake) };
        let flows: Vec<_> = open.tenants().into_iter().map(|tenant| (tenant.take_flows(), tenant)).collect();
        self.settle(intake)?;
        flows.iter().try_for_each(|(_, tenant)| tenant.flush()).inspect_err(|_| intake.broken = true)?;
        let position = intake.position;
        let is_aside = flows.iter().map(|(flows, _)| flows.len()).sum::<usize>() >= aside;
        let write = move || flows.into_iter().try_for_each(|(flows, tenant)| tenant.write_flows(flows));
        if is_aside {
            let thread = std::thread::Builder::new().name("history".to_owned()).spawn(write);
            let thread = thread.map_err(StoreError::Thread).inspect_err(|_| intake.broken = true)?;
            intake.aside = Some(Aside { since, position, thread });
            return Ok(());
        }
        write().inspect_err(|_| intake.broken = true)?;
        self.note(intake, position)
    }

    /// Waits until what is written on a thread of its own is stored.
    fn settle(&self, intake: &mut Intake) -> Result<(), StoreError> {
        let Some(Aside { position, thread, .. }) = intake.aside.take() else { return Ok(()) };
        let written = thread.join().unwrap_or(Err(StoreError::Poisoned));
        written.inspect_err(|e| {
            intake.broken = true;
            // Whoever comes here may have asked for something else, and cannot tell it.
            tracing::warn!(error = error_text(e), "flow records could not be written; they come again from the log");
        })?;
        self.note(intake, position)
    }

    fn note(&self, intake: &mut Intake, position: u64) -> Result<(), StoreError> {
        if intake.stored != position {
            note_position(&self.config.folder, position).inspect_err(|_| intake.broken = true)?;
            intake.stored = position;
        }
        Ok(())
    }

    /// The newest entry that is stored for good.
    fn stored(&self) -> u64 {
        let mut intake = lock(&self.intake);
        if intake.aside.as_ref().is_some_and(|aside| aside.thread.is_finished())
            && let Err(e) = self.settle(&mut intake)
        {
            tracing::debug!(error = %e, "what was written aside is not stored");
        }
        intake.stored
    }

    /// Writes what waits when a question reaches to records that have waited for a while: questions are answered from files alone.
    fn freshen(&self, to: Timestamp) {
        let mut intake = lock(&self.intake);
        let written = if intake.broken {
            Err(StoreError::Poisoned)
        } else if intake.waiting_since.is_some_and(|since| to >= since + FRESH) {
            self.write_all(&self.inner(), &mut intake, usize::MAX)
        } else if intake.aside.as_ref().is_some_and(|aside| to >= aside.since) {
            self.settle(&mut intake)
        } else {
            Ok(())
        };
        if let Err(e) = written {
            tracing::debug!(error = %e, "an answer lacks the last seconds");
        }
    }

    fn inner(&self) -> RwLockReadGuard<'_, Open> {
        self.open.read().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for DuckStore {
    fn drop(&mut self) {
        // Nobody else has the files before it is done; what it could not write is in the log.
        if let Some(aside) = lock(&self.intake).aside.take() {
            let _written = aside.thread.join();
        }
    }
}

/// Flow records of which more are written on a thread of its own.
const ASIDE: usize = 10_000;
/// How long records wait at most before a question sees them.
const FRESH: Duration = Duration::from_secs(5);

impl Open {
    fn new(config: &StoreConfig, damaged: &Damaged, now: Timestamp) -> Result<(Self, u64, Vec<Event>), StoreError> {
        let folder = &config.folder;
        let workspaces = workspaces(folder).map_err(|source| StoreError::Folder { path: folder.clone(), source })?;
        let open = Self { engine: Arc::new(Engine::start(config)?), tenants: RwLock::default() };
        let (mut stored, mut events) = (read_position(folder), Vec::new());
        for (workspace, number) in workspaces.into_iter().zip(0..) {
            let engine = Arc::clone(&open.engine);
            let place = folder.join(workspace.to_string());
            let (tenant, aside) = Tenant::open(engine, config, place, number, damaged, now.millis())?;
            for file in aside {
                if !file.partition.kind.is_derived() {
                    stored = 0;
                }
                events.push(damage(&file.partition.file_name(), &file.now_at, &file.reason, now));
            }
            open.tenants.write().unwrap_or_else(PoisonError::into_inner).insert(workspace, Arc::new(tenant));
        }
        Ok((open, stored, events))
    }

    fn tenant(&self, workspace: WorkspaceId) -> Option<Arc<Tenant>> {
        self.tenants.read().unwrap_or_else(PoisonError::into_inner).get(&workspace).cloned()
    }

    fn tenants(&self) -> Vec<Arc<Tenant>> {
        self.tenants.read().unwrap_or_else(PoisonError::into_inner).values().cloned().collect()
    }

    fn named_tenants(&self) -> Vec<(WorkspaceId, Arc<Tenant>)> {
        let tenants = self.tenants.read().unwrap_or_else(PoisonError::into_inner);
        tenants.iter().map(|(workspace, tenant)| (*workspace, Arc::clone(tenant))).collect()
    }

    fn tenant_or_create(&self, config: &StoreConfig, workspace: WorkspaceId) -> Result<Arc<Tenant>, StoreError> {
        if let Some(tenant) = self.tenant(workspace) {
            return Ok(tenant);
        }
        let mut tenants = self.tenants.write().unwrap_or_else(PoisonError::into_inner);
        let number = u32::try_from(tenants.len()).unwrap_or(u32::MAX);
        let place = config.folder.join(workspace.to_string());
        let (tenant, _) = Tenant::open(Arc::clone(&self.engine), config, place, number, &Default::default(), 0)?;
        let tenant = Arc::new(tenant);
        tenants.insert(workspace, Arc::clone(&tenant));
        Ok(tenant)
    }
}

/// Files with which something is wrong, and what.
pub type Damaged = HashMap<PathBuf, String>;

/// Has all files opened by the checking program (or, without one, here), and tells with which something is wrong. Makes the folder
/// when it is missing.
///
/// # Errors
/// When the folder cannot be used.
pub fn inspect(config: &StoreConfig) -> Result<Damaged, StoreError> {
    let folder = &config.folder;
    let fail = |source| StoreError::Folder { path: folder.clone(), source };
    std::fs::create_dir_all(folder.join(TEMPORARY)).map_err(fail)?;
    let workspaces = workspaces(folder).map_err(fail)?;
    let paths = workspaces.iter().map(|w| files(&folder.join(w.to_string()))).collect::<Result<Vec<_>, _>>();
    check::problems(config.checker.as_ref(), folder, paths.map_err(fail)?.concat(), Depth::Open)
}

/// The workspaces that have a folder.
fn workspaces(folder: &Path) -> std::io::Result<Vec<WorkspaceId>> {
    let names = std::fs::read_dir(folder)?.map(|e| e.map(|e| e.file_name()));
    let mut found = names.collect::<Result<Vec<_>, _>>()?;
    found.sort();
    Ok(found.iter().filter_map(|n| n.to_str()?.parse().ok()).collect())
}

/// The files of a workspace.
fn files(folder: &Path) -> std::io::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let name = entry?.file_name();
        if name.to_str().and_then(Partition::from_file_name).is_some() {
            found.push(folder.join(name));
        }
    }
    found.sort();
    Ok(found)
}

fn flows_of(batch: &Batch) -> usize {
    batch.records.iter().filter(|record| matches!(record, Record::Flow(_))).count()
}

fn damage(file: &str, now_at: &Path, reason: &str, now: Timestamp) -> Event {
    let text = format!(
        "{file} was damaged ({reason}). It is kept as {} and is rebuilt from the log as far as that reaches; what is older is lost.",
        now_at.display()
    );
    Event {
        time: now,
        kind: EventKind::StoreDamaged,
        severity: Severity::Warning,
        subject: Untrusted::new(file),
        text: Untrusted::message(&text),
    }
}

/// The position is only where to begin: what is handed over twice changes nothing, so a missing or damaged file costs time alone.
fn read_position(folder: &Path) -> u64 {
    let text = std::fs::read_to_string(folder.join(POSITION)).unwrap_or_default();
    text.trim_end().parse().unwrap_or(0)
}

fn note_position(folder: &Path, position: u64) -> Result<(), StoreError> {
    let path = folder.join(POSITION);
    let fresh = folder.join(format!("{POSITION}.new"));
    let write = || {
        let mut file = std::fs::File::create(&fresh)?;
        std::io::Write::write_all(&mut file, format!("{position}\n").as_bytes())?;
        file.sync_all()?;
        std::fs::rename(&fresh, &path)
    };
    write().map_err(|source| StoreError::Position { path: path.clone(), source })
}

/// Whether one row group of waiting records becomes full, or a second while the one before is still being written (`is_busy`). Row groups
/// are filled and not passed, because DuckDB would pack what is a little more than one over and over.
const fn fills([one, two]: [usize; 2], is_busy: bool, before: usize, after: usize) -> bool {
    (!is_busy && before < one && after >= one) || after >= two
}

#[cfg(test)]
mod tests {
    use super::fills;

    /// When records are written that come by as many as given, ten to a row group.
    fn written(is_busy: bool, coming: [usize; 6]) -> Vec<usize> {
        let (mut waiting, mut out) = (0, Vec::new());
        for more in coming {
            // As in `append`: before what comes would pass a row group, and when it is full.
            if fills([11, 21], is_busy, waiting, waiting + more) {
                out.push(std::mem::take(&mut waiting));
            }
            if fills([10, 20], is_busy, waiting, waiting + more) {
                out.push(std::mem::take(&mut waiting) + more);
            } else {
                waiting += more;
            }
        }
        out
    }

    #[test]
    fn one_row_group_is_filled_and_two_while_others_are_being_written() {
        assert_eq!(written(false, [4; 6]), [8, 8]);
        assert_eq!(written(true, [4; 6]), [20]);
        assert_eq!(written(false, [5; 6]), [10, 10, 10]);
        assert_eq!(written(true, [5; 6]), [20]);
        assert_eq!(written(true, [3; 6]), [0; 0]);
        assert_eq!(written(true, [7, 7, 7, 7, 7, 7]), [14, 14]);
    }

    /// What waited beyond one row group while others were being written waits until it fills the second, or its time has come.
    #[test]
    fn more_than_one_is_not_written_before_it_is_two() {
        assert!(!fills([10, 20], false, 12, 16) && fills([10, 20], false, 16, 20));
    }

    #[test]
    fn a_batch_larger_than_two_is_written_at_once() {
        assert!(fills([10, 20], true, 0, 25) && fills([10, 20], false, 0, 25));
    }
}
