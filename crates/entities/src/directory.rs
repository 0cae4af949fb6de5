//! The part of the data directory that is ours: database, keys, copies, and the lock that keeps other processes out.
//!
//! `entities.lock` is held as long as the directory is open. `reserve` is given up when the database cannot be opened without its space.
//! `backups/` gets a copy each day (the last seven are kept), one before each
//! change of the format and one before each restore (the last three of each are kept).

use std::fs::{self, DirBuilder, File, OpenOptions, TryLockError};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _, chown};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use netwatch_model::Timestamp;

use crate::backup::{Contents, Manifest, extract, remove_if_there, write_archive};
use crate::entities::Entities;
use crate::error::OpenError;
use crate::reserve::Reserve;
use crate::sqlite::{self, SqliteStore};
use crate::vault::Vault;

/// Time between automatic copies.
const PERIOD: Duration = Duration::from_secs(24 * 60 * 60);

/// Why a copy was made: the head of its name.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Reason {
    Daily,
    Format,
    Restore,
}

impl Reason {
    const ALL: [Self; 3] = [Self::Daily, Self::Format, Self::Restore];

    const fn head(self) -> &'static str {
        match self {
            Self::Daily => "daily-",
            Self::Format => "before-format-",
            Self::Restore => "before-restore-",
        }
    }

    /// Copies that are kept.
    const fn kept(self) -> usize {
        match self {
            Self::Daily => 7,
            Self::Format | Self::Restore => 3,
        }
    }
}

/// An open data directory.
pub struct DataDirectory {
    path: PathBuf,
    entities: Entities,
    /// When the newest automatic copy was made.
    newest: Mutex<Option<Timestamp>>,
    /// Counts the files that are there for a moment.
    parts: AtomicU64,
    reserve: Reserve,
    _lock: File,
}

impl DataDirectory {
    /// Opens a directory; makes it, its database and its keys when there are none.
    ///
    /// # Errors
    /// When another process has it, or the database is damaged, missing or from a later Netwatch; nothing is changed then.
    pub fn open(path: &Path, now: Timestamp) -> Result<Self, OpenError> {
        make_directory(path)?;
        let lock = lock(path)?;
        make_backups(path)?;
        clear_parts(path)?;
        let database = database(path);
        let advice = advice(path)?;
        let newest = newest(path)?;
        // An empty file would be taken for a new database.
        if newest.is_some() && fs::metadata(&database).map_or(true, |found| found.len() == 0) {
            return Err(OpenError::Missing { path: database, advice });
        }
        let reserve = Reserve::of(path);
        let open = || SqliteStore::open(&database, &place_for(path, Reason::Format, now), &advice);
        let store = match open() {
            Err(OpenError::Full { .. }) if reserve.give_up() => open()?,
            other => {
                reserve.ensure();
                other?
            }
        };
        let vault = Vault::open(&path.join("secrets.key"))?;
        let entities = Entities::new(Arc::new(store), Arc::new(vault));
        for key in entities.lost_keys()? {
            tracing::error!(%key, "a key of the secrets is lost: put back the copy of secrets.key that was kept, or set these secrets anew");
        }
        let newest = newest.and_then(|file| time_of(&file, Reason::Daily));
        let (newest, parts) = (Mutex::new(newest), AtomicU64::new(0));
        Ok(Self { path: path.to_owned(), entities, newest, parts, reserve, _lock: lock })
    }

    /// The entities.
    #[must_use]
    pub const fn entities(&self) -> &Entities {
        &self.entities
    }

    /// Makes an automatic copy when the last one is a day old; where it is. Takes the reserve back, if it was given up.
    ///
    /// # Errors
    /// When it cannot be written; the database is not touched.
    pub fn copy_when_due(&self, now: Timestamp) -> Result<Option<PathBuf>, OpenError> {
        self.reserve.ensure();
        let mut newest = self.newest.lock().unwrap_or_else(PoisonError::into_inner);
        if newest.is_some_and(|at| now >= at && now.since(at) < PERIOD) {
            return Ok(None);
        }
        let file = place_for(&self.path, Reason::Daily, now);
        self.entities.copy_to(&file, now)?;
        *newest = Some(now);
        prune(&self.path)?;
        Ok(Some(file))
    }

    /// Writes a backup, as an archive, to a stream.
    ///
    /// # Errors
    /// When the state cannot be copied or the stream ends.
    pub fn back_up_to(&self, out: impl Write, now: Timestamp) -> Result<Manifest, OpenError> {
        let part = self.part();
        let manifest = self.entities.copy_to(&part.0, now)?;
        write_archive(out, &manifest, &part.0)?;
        Ok(manifest)
    }

    /// Writes a backup to the new file `to`.
    ///
    /// # Errors
    /// When the file exists or cannot be written.
    pub fn back_up(&self, to: &Path, now: Timestamp) -> Result<Manifest, OpenError> {
        let mut file = new_file(to)?;
        let written = self.back_up_to(&mut file, now);
        let written = written.and_then(|m| file.sync_all().map(|()| m).map_err(OpenError::file("write", to)));
        if written.is_err() {
            remove_if_there(to)?;
        }
        written
    }

    /// Puts the state of a backup in place of the present one, which is kept.
    ///
    /// # Errors
    /// When the file is no whole backup of a known format; nothing has changed then.
    pub fn restore(&self, backup: &Path, now: Timestamp) -> Result<Restored, OpenError> {
        let part = self.part();
        extract(backup, &part.0)?;
        let contents = sqlite::examine(&part.0).map_err(|error| rename(error, backup))?;
        let kept = place_for(&self.path, Reason::Restore, now);
        self.entities.copy_to(&kept, now)?;
        self.entities.replace_from(&part.0)?;
        prune(&self.path)?;
        Ok(Restored { kept: Some(kept), contents })
    }

    /// A new file in the directory, for a backup that arrives in pieces. It goes away when [`Part`] is dropped.
    ///
    /// # Errors
    /// When it cannot be made.
    pub fn incoming(&self) -> Result<(Part, File), OpenError> {
        let part = self.part();
        let file = new_file(&part.0)?;
        Ok((part, file))
    }

    fn part(&self) -> Part {
        Part(self.path.join(format!("{}.part", self.parts.fetch_add(1, Ordering::Relaxed))))
    }
}

/// What came of a restore.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Restored {
    /// Where the state before is, if there was one.
    pub kept: Option<PathBuf>,
    /// What is there now.
    pub contents: Contents,
}

/// A file that is there for a moment.
#[derive(Debug)]
pub struct Part(PathBuf);

impl Part {
    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Part {
    fn drop(&mut self) {
        if let Err(error) = remove_if_there(&self.0) {
            tracing::warn!(%error, "a file that was there for a moment stays; it goes at the next start");
        }
    }
}

/// Puts the state of a backup into a directory that no process has open, whatever is wrong with the database there.
///
/// What was there is kept beside it.
///
/// # Errors
/// When a process has the directory, or the file is no whole backup of a known format; nothing has changed then.
pub fn restore_offline(path: &Path, backup: &Path, now: Timestamp) -> Result<Restored, OpenError> {
    make_directory(path)?;
    let _lock = lock(path)?;
    make_backups(path)?;
    let part = Part(path.join("restore.part"));
    remove_if_there(&part.0)?;
    extract(backup, &part.0)?;
    let contents = sqlite::examine(&part.0).map_err(|error| rename(error, backup))?;
    let kept = set_aside(path, now)?;
    sqlite::install(&part.0, &database(path))?;
    give_to_owner(path, &database(path))?;
    Ok(Restored { kept, contents })
}

/// Moves the database and what belongs to it out of the way.
fn set_aside(path: &Path, now: Timestamp) -> Result<Option<PathBuf>, OpenError> {
    let database = database(path);
    let kept = path.join(format!("entities.db.replaced-{}", stamp(now)));
    let mut found = None;
    for tail in ["-wal", "-shm", ""] {
        let [from, to] = [&database, &kept].map(|p| PathBuf::from(format!("{}{tail}", p.display())));
        match fs::rename(&from, &to) {
            Ok(()) => found = Some(kept.clone()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(OpenError::file("move", from)(error)),
        }
    }
    Ok(found)
}

/// Says the file that the user named, not the part of it that was examined.
fn rename(error: OpenError, backup: &Path) -> OpenError {
    match error {
        OpenError::NoBackup { detail, .. } => OpenError::NoBackup { path: backup.to_owned(), detail },
        OpenError::Newer { found, known, .. } => OpenError::Newer { path: backup.to_owned(), found, known },
        other => other,
    }
}

fn database(path: &Path) -> PathBuf {
    path.join("entities.db")
}

fn backups(path: &Path) -> PathBuf {
    path.join("backups")
}

fn make_directory(path: &Path) -> Result<(), OpenError> {
    DirBuilder::new().recursive(true).mode(0o700).create(path).map_err(OpenError::file("make", path))
}

fn make_backups(path: &Path) -> Result<(), OpenError> {
    make_directory(&backups(path))?;
    give_to_owner(path, &backups(path))
}

/// What an administrator makes in the directory of the service belongs to the service.
fn give_to_owner(directory: &Path, made: &Path) -> Result<(), OpenError> {
    let owner = |path: &Path| fs::metadata(path).map(|m| (m.uid(), m.gid())).map_err(OpenError::file("read", path));
    let (uid, gid) = owner(directory)?;
    if owner(made)? == (uid, gid) {
        return Ok(());
    }
    chown(made, Some(uid), Some(gid)).map_err(OpenError::file("give away", made))
}

fn new_file(path: &Path) -> Result<File, OpenError> {
    let made = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
    made.map_err(|error| match error.kind() {
        io::ErrorKind::AlreadyExists => OpenError::Exists(path.to_owned()),
        _ => OpenError::file("write", path)(error),
    })
}

fn lock(path: &Path) -> Result<File, OpenError> {
    let name = path.join("entities.lock");
    let open = OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(&name);
    let file = open.map_err(OpenError::file("open", &name))?;
    give_to_owner(path, &name)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(OpenError::InUse(path.to_owned())),
        Err(TryLockError::Error(error)) => Err(OpenError::file("lock", &name)(error)),
    }
}

/// Removes what an earlier process left half done.
fn clear_parts(path: &Path) -> Result<(), OpenError> {
    for folder in [path.to_owned(), backups(path)] {
        let fail = |error| OpenError::file("read", &folder)(error);
        for entry in fs::read_dir(&folder).map_err(fail)? {
            let file = entry.map_err(fail)?.path();
            if file.extension().is_some_and(|e| e == "part") {
                remove_if_there(&file)?;
            }
        }
    }
    Ok(())
}

/// What to do about a damaged database.
fn advice(path: &Path) -> Result<String, OpenError> {
    Ok(match newest(path)? {
        Some(copy) => format!(
            "Put back the last automatic copy with `netwatch restore {}`; the damaged files are kept beside it",
            copy.display()
        ),
        None => format!(
            "There is no automatic copy yet: restore a backup with `netwatch restore FILE`, or move the file away to begin \
             anew ({})",
            database(path).display()
        ),
    })
}

/// The name of a new copy.
fn place_for(path: &Path, reason: Reason, now: Timestamp) -> PathBuf {
    backups(path).join(format!("{}{}.db", reason.head(), stamp(now)))
}

/// A time as a part of a name that sorts: nanoseconds since the epoch would say nothing to people.
fn stamp(now: Timestamp) -> String {
    now.to_string().chars().filter(char::is_ascii_alphanumeric).collect()
}

/// When a copy was made, by its name.
fn time_of(file: &Path, reason: Reason) -> Option<Timestamp> {
    let stamp = file.file_stem()?.to_str()?.strip_prefix(reason.head())?;
    let (date, rest) = stamp.split_once('T')?;
    let part = |text: &str, from: usize, to: usize| text.get(from..to).map(str::to_owned);
    let text = format!(
        "{}-{}-{}T{}:{}:{}.{}Z",
        part(date, 0, 4)?,
        part(date, 4, 6)?,
        part(date, 6, 8)?,
        part(rest, 0, 2)?,
        part(rest, 2, 4)?,
        part(rest, 4, 6)?,
        part(rest, 6, 15)?
    );
    text.parse().ok()
}

/// The newest automatic copy.
fn newest(path: &Path) -> Result<Option<PathBuf>, OpenError> {
    Ok(copies(path, Reason::Daily)?.pop())
}

/// Copies of one reason, oldest first.
fn copies(path: &Path, reason: Reason) -> Result<Vec<PathBuf>, OpenError> {
    let folder = backups(path);
    let fail = |error| OpenError::file("read", &folder)(error);
    let mut found = Vec::new();
    for entry in fs::read_dir(&folder).map_err(fail)? {
        let file = entry.map_err(fail)?.path();
        if time_of(&file, reason).is_some() && file.extension().is_some_and(|e| e == "db") {
            found.push(file);
        }
    }
    found.sort();
    Ok(found)
}

/// Removes the oldest copies.
fn prune(path: &Path) -> Result<(), OpenError> {
    for reason in Reason::ALL {
        let all = copies(path, reason)?;
        for old in all.iter().rev().skip(reason.kept()) {
            remove_if_there(old)?;
        }
    }
    Ok(())
}
