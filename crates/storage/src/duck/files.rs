//! The files of one workspace: which there are, and which are attached.
//!
//! A file is attached when it is first needed, and detached when too many are ([`MAX_ATTACHED`]). Whoever uses a file holds a
//! [`Lease`] of it; a file that somebody holds is neither detached nor replaced nor deleted.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::engine::{Engine, quoted};
use super::schema;
use crate::error::StoreError;
use crate::partition::{CORRUPT, Kind, Partition};

/// Files that are attached at the same time: each holds a descriptor and a little memory.
const MAX_ATTACHED: usize = 400;

/// A file that is attached.
#[derive(Debug)]
pub(crate) struct Attached {
    pub(crate) partition: Partition,
    pub(crate) path: PathBuf,
    /// What SQL calls it.
    pub(crate) alias: String,
}

/// As long as it lives the file stays what it is.
pub(crate) type Lease = Arc<Attached>;

#[derive(Debug, Default)]
struct Entry {
    attached: Option<Lease>,
    /// When it was last asked for, in calls.
    used: u64,
    /// Grows with each rewrite: cursors name it.
    generation: u32,
}

#[derive(Debug, Default)]
struct State {
    entries: BTreeMap<Partition, Entry>,
    calls: u64,
}

/// The files of one workspace.
#[derive(Debug)]
pub(crate) struct Files {
    engine: Arc<Engine>,
    folder: PathBuf,
    tenant: u32,
    state: Mutex<State>,
}

impl Files {
    /// The files that are in `folder`, which is made when it is missing.
    pub(crate) fn list(engine: Arc<Engine>, folder: PathBuf, tenant: u32) -> Result<Self, StoreError> {
        let fail = |source| StoreError::Folder { path: folder.clone(), source };
        std::fs::create_dir_all(&folder).map_err(fail)?;
        let mut state = State::default();
        for entry in std::fs::read_dir(&folder).map_err(fail)? {
            let name = entry.map_err(fail)?.file_name();
            if let Some(partition) = name.to_str().and_then(Partition::from_file_name) {
                state.entries.insert(partition, Entry::default());
            }
        }
        Ok(Self { engine, folder, tenant, state: Mutex::new(state) })
    }

    /// All files of a kind that may hold something of `from..to` (milliseconds), oldest first.
    pub(crate) fn within(&self, kind: Kind, from: i64, to: i64) -> Vec<Partition> {
        let state = self.lock();
        let kept = state.entries.keys().filter(|p| p.kind == kind && p.start() < to && p.end() > from);
        kept.copied().collect()
    }

    /// All files, oldest first within each kind.
    pub(crate) fn all(&self) -> Vec<Partition> {
        self.lock().entries.keys().copied().collect()
    }

    /// Where a file lies, whether it exists or not.
    pub(crate) fn path(&self, partition: Partition) -> PathBuf {
        self.folder.join(partition.file_name())
    }

    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    /// Bytes of a file with its write-ahead log.
    pub(crate) fn bytes(&self, partition: Partition) -> u64 {
        let path = self.path(partition);
        let size = |p: &Path| std::fs::metadata(p).map_or(0, |m| m.len());
        size(&path) + size(&wal(&path))
    }

    /// How often the file was rewritten since the start.
    pub(crate) fn generation(&self, partition: Partition) -> u32 {
        self.lock().entries.get(&partition).map_or(0, |e| e.generation)
    }

    /// A lease of a file that exists.
    pub(crate) fn lease(&self, partition: Partition) -> Result<Option<Lease>, StoreError> {
        let mut state = self.lock();
        if state.entries.contains_key(&partition) { self.attach(&mut state, partition).map(Some) } else { Ok(None) }
    }

    /// A lease of a file that is made when it does not exist.
    pub(crate) fn lease_or_create(&self, partition: Partition) -> Result<Lease, StoreError> {
        let mut state = self.lock();
        self.attach(&mut state, partition)
    }

    /// Leases of all files of a kind that may hold something of `from..to`.
    pub(crate) fn leases(&self, kind: Kind, from: i64, to: i64) -> Result<Vec<Lease>, StoreError> {
        let found = self.within(kind, from, to).into_iter().map(|p| self.lease(p));
        Ok(found.collect::<Result<Vec<_>, _>>()?.into_iter().flatten().collect())
    }

    /// Deletes a file that nobody holds; says whether it is gone.
    pub(crate) fn delete(&self, partition: Partition) -> Result<bool, StoreError> {
        let mut state = self.lock();
        if !self.detach(&mut state, partition) {
            return Ok(false);
        }
        let path = self.path(partition);
        remove(&path).and_then(|()| remove(&wal(&path))).map_err(|source| StoreError::Folder { path, source })?;
        state.entries.remove(&partition);
        Ok(true)
    }

    /// Puts `with` in the place of a file that nobody holds; says whether it is done.
    pub(crate) fn replace(&self, partition: Partition, with: &Path) -> Result<bool, StoreError> {
        let mut state = self.lock();
        if !self.detach(&mut state, partition) {
            return Ok(false);
        }
        let path = self.path(partition);
        // The log of the old file must not be applied to the new one: detaching has emptied it.
        let moved = remove(&wal(&path)).and_then(|()| std::fs::rename(with, &path)).and_then(|()| sync(&self.folder));
        moved.map_err(|source| StoreError::Folder { path, source })?;
        state.entries.entry(partition).or_default().generation += 1;
        Ok(true)
    }

    /// Moves a damaged file out of the way, under a name that tells so. Whoever holds it reads on until the end of the query.
    pub(crate) fn set_aside(&self, partition: Partition, stamp: i64) -> Result<PathBuf, StoreError> {
        let mut state = self.lock();
        let _detached = self.detach(&mut state, partition);
        state.entries.remove(&partition);
        let path = self.path(partition);
        let name = |p: &Path| {
            p.with_file_name(format!("{}{CORRUPT}{stamp}", p.file_name().unwrap_or_default().to_string_lossy()))
        };
        let aside = name(&path);
        let log = wal(&path);
        let moved = std::fs::rename(&path, &aside).and_then(|()| match log.try_exists()? {
            true => std::fs::rename(&log, name(&log)),
            false => Ok(()),
        });
        moved.map_err(|source| StoreError::Folder { path, source })?;
        Ok(aside)
    }

    fn attach(&self, state: &mut State, partition: Partition) -> Result<Lease, StoreError> {
        state.calls += 1;
        let calls = state.calls;
        if let Some(entry) = state.entries.get_mut(&partition)
            && let Some(lease) = &entry.attached
        {
            entry.used = calls;
            return Ok(Arc::clone(lease));
        }
        self.make_room(state);
        let path = self.path(partition);
        // A number of its own: a damaged file may still be attached under its old name.
        let alias = format!("{}_{calls}", partition.alias(self.tenant));
        self.open(&path, &alias, partition.kind).map_err(|source| StoreError::Open { path: path.clone(), source })?;
        let lease = Arc::new(Attached { partition, path, alias });
        let entry = state.entries.entry(partition).or_default();
        entry.attached = Some(Arc::clone(&lease));
        entry.used = calls;
        Ok(lease)
    }

    /// Attaches a file, and makes its tables when it has none.
    fn open(&self, path: &Path, alias: &str, kind: Kind) -> Result<(), duckdb::Error> {
        self.engine.run(&attach_statement(path, alias))?;
        let connection = self.engine.connect().map_err(|_| duckdb::Error::InvalidQuery)?;
        let tables: u32 = connection.query_row(
            "SELECT count(*)::UINTEGER FROM duckdb_tables() WHERE database_name = ?",
            [alias],
            |row| row.get(0),
        )?;
        if tables > 0 {
            return Ok(());
        }
        connection.execute_batch(&format!("USE {alias}; BEGIN; {} COMMIT; USE memory;", schema::tables(kind).concat()))
    }

    fn make_room(&self, state: &mut State) {
        let attached = |e: &Entry| e.attached.is_some();
        while state.entries.values().filter(|e| attached(e)).count() >= MAX_ATTACHED {
            let idle =
                state.entries.iter().filter(|(_, e)| e.attached.as_ref().is_some_and(|l| Arc::strong_count(l) == 1));
            let Some(oldest) = idle.min_by_key(|(_, e)| e.used).map(|(p, _)| *p) else { return };
            if !self.detach(state, oldest) {
                return;
            }
        }
    }

    /// Detaches a file that nobody holds; says whether it is detached.
    fn detach(&self, state: &mut State, partition: Partition) -> bool {
        let Some(entry) = state.entries.get_mut(&partition) else { return true };
        let Some(lease) = entry.attached.take() else { return true };
        if Arc::strong_count(&lease) > 1 {
            entry.attached = Some(lease);
            return false;
        }
        let alias = &lease.alias;
        // A checkpoint first, so that the file is whole without its log.
        if let Err(e) = self.engine.run(&format!("CHECKPOINT {alias};")) {
            tracing::debug!(file = %lease.path.display(), error = %e, "no checkpoint before a file is detached");
        }
        match self.engine.run(&format!("DETACH {alias};")) {
            Ok(()) => true,
            Err(e) => {
                tracing::warn!(file = %lease.path.display(), error = %e, "a file cannot be detached");
                entry.attached = Some(lease);
                false
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The statement that attaches a file.
pub(crate) fn attach_statement(path: &Path, alias: &str) -> String {
    format!("ATTACH {} AS {alias} (STORAGE_VERSION 'v1.4.0');", quoted(path))
}

/// The write-ahead log beside a file.
pub(crate) fn wal(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".wal");
    name.into()
}

fn remove(path: &Path) -> std::io::Result<()> {
    match std::fs::remove_file(path) {
        Err(e) if e.kind() != std::io::ErrorKind::NotFound => Err(e),
        _ => Ok(()),
    }
}

/// Makes a rename durable.
fn sync(folder: &Path) -> std::io::Result<()> {
    std::fs::File::open(folder)?.sync_all()
}
