//! Copies of a database: made while others work, examined before they are trusted, and put in its place.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use netwatch_model::Timestamp;
use rusqlite::backup::Backup;
use rusqlite::{Connection, MAIN_DB};

use super::schema::{self, KNOWN};
use super::{check, connect};
use crate::backup::{Contents, Manifest, digest_of};
use crate::error::OpenError;
use crate::kind::Kind;

/// Copies one state of the database at `from` to the new file `to`, and reads the copy back.
pub(super) fn copy(from: &Path, to: &Path, now: Timestamp) -> Result<Manifest, OpenError> {
    copy_raw(from, to)?;
    let contents = examine(to)?;
    let (bytes, sha256) = digest_of(to)?;
    Ok(Manifest::new(now, rusqlite::version(), contents, bytes, sha256))
}

/// Copies one state of a database to the new file `to`, whole or not at all.
pub(super) fn copy_raw(from: &Path, to: &Path) -> Result<(), OpenError> {
    let beside = beside(to);
    // What an earlier attempt left behind.
    remove(&beside)?;
    let copied = copy_beside(from, &beside).and_then(|()| {
        // A link, because renaming would overwrite.
        fs::hard_link(&beside, to).map_err(|error| match error.kind() {
            io::ErrorKind::AlreadyExists => OpenError::Exists(to.to_owned()),
            _ => OpenError::file("write", to)(error),
        })
    });
    remove(&beside)?;
    copied?;
    sync_folder(to)
}

fn copy_beside(from: &Path, beside: &Path) -> Result<(), OpenError> {
    let made = OpenOptions::new().write(true).create_new(true).mode(0o600).open(beside);
    let file = made.map_err(OpenError::file("write", beside))?;
    let failed =
        |source: rusqlite::Error| OpenError::Database { action: "copy", path: from.to_owned(), source: source.into() };
    let source = connect::connect(from, false).map_err(failed)?;
    let name =
        beside.to_str().ok_or_else(|| OpenError::file("write", beside)(io::ErrorKind::InvalidFilename.into()))?;
    source.execute("VACUUM INTO ?1", [name]).map_err(failed)?;
    file.sync_all().map_err(OpenError::file("write", beside))
}

/// What a copy has, when it is whole.
pub(crate) fn examine(file: &Path) -> Result<Contents, OpenError> {
    let no = |detail: String| OpenError::NoBackup { path: file.to_owned(), detail };
    let failed = |error: rusqlite::Error| no(error.to_string());
    let connection = connect::connect(file, false).map_err(failed)?;
    let format = schema::format_of(&connection).map_err(failed)?;
    let format = format.filter(|f| *f > 0).ok_or_else(|| no("it is not an entity database of Netwatch".to_owned()))?;
    if format > KNOWN.newest() {
        return Err(OpenError::Newer { path: file.to_owned(), found: format, known: KNOWN.newest() });
    }
    check::everything(&connection).map_err(|error| no(error.to_string()))?;
    let count = |sql: &str, kind: &str| connection.query_row(sql, [kind], |row| row.get::<_, i64>(0));
    let mut contents = Contents { format, ..Contents::default() };
    for kind in Kind::ALL {
        let n = count("SELECT count(*) FROM objects WHERE kind = ?1", kind.word()).map_err(failed)?;
        contents.objects.insert(kind.word().to_owned(), u64::try_from(n).unwrap_or(0));
    }
    let records = count("SELECT count(*) FROM audit WHERE ?1 <> ''", "all").map_err(failed)?;
    contents.audit_records = u64::try_from(records).unwrap_or(0);
    Ok(contents)
}

/// A database in memory with the state of a file, in the present format: the file itself stays as it is.
pub(super) fn prepare(file: &Path) -> Result<SourceState, OpenError> {
    let Contents { format, .. } = examine(file)?;
    let no = |error: rusqlite::Error| OpenError::NoBackup { path: file.to_owned(), detail: error.to_string() };
    let mut memory = Connection::open_in_memory().map_err(no)?;
    let source = connect::connect(file, false).map_err(no)?;
    overwrite(&source, &mut memory).map_err(no)?;
    KNOWN.migrate(&mut memory, format).map_err(no)?;
    Ok(SourceState(memory))
}

/// A state that is ready to be put in place.
pub(super) struct SourceState(Connection);

/// Puts a state in place of all that `connection` has. Readers see the old state or the new one.
pub(super) fn replace(connection: &mut Connection, source: &SourceState, path: &Path) -> Result<(), OpenError> {
    overwrite(&source.0, connection).map_err(|source| OpenError::Database {
        action: "restore",
        path: path.to_owned(),
        source: source.into(),
    })
}

/// Puts the copy `from` at `to`, where no database is.
pub(crate) fn install(from: &Path, to: &Path) -> Result<(), OpenError> {
    let state = prepare(from)?;
    let beside = beside(to);
    remove(&beside)?;
    let made = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&beside);
    let file = made.map_err(OpenError::file("write", &beside))?;
    let failed =
        |source: rusqlite::Error| OpenError::Database { action: "write", path: beside.clone(), source: source.into() };
    let mut target = Connection::open(&beside).map_err(failed)?;
    overwrite(&state.0, &mut target).map_err(failed)?;
    target.close().map_err(|(_, error)| failed(error))?;
    file.sync_all().map_err(OpenError::file("write", &beside))?;
    let linked = fs::hard_link(&beside, to).map_err(|error| match error.kind() {
        io::ErrorKind::AlreadyExists => OpenError::Exists(to.to_owned()),
        _ => OpenError::file("write", to)(error),
    });
    remove(&beside)?;
    linked?;
    sync_folder(to)
}

/// All pages in one step: nobody sees half of it.
fn overwrite(from: &Connection, to: &mut Connection) -> rusqlite::Result<()> {
    let backup = Backup::new_with_names(from, MAIN_DB, to, MAIN_DB)?;
    match backup.step(-1)? {
        rusqlite::backup::StepResult::Done => Ok(()),
        _ => Err(rusqlite::Error::SqliteFailure(rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_BUSY), None)),
    }
}

fn beside(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".part");
    PathBuf::from(name)
}

fn remove(path: &Path) -> Result<(), OpenError> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(OpenError::file("remove", path)(error)),
        _ => Ok(()),
    }
}

/// Makes a new name durable.
fn sync_folder(file: &Path) -> Result<(), OpenError> {
    let folder = file.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
    File::open(folder).and_then(|folder| folder.sync_all()).map_err(OpenError::file("write", folder))
}
