//! The embedded store: one SQLite file, write-ahead log, full synchronisation, one writer, a few readers.
//!
//! Opening checks everything before anything is changed: the library, whose file it is, its format, and whether it is damaged. An older
//! format is brought up to date after a copy was made. Opening starts no thread.

mod audit;
mod check;
mod connect;
mod copy;
mod readers;
mod rows;
mod schema;
mod tx;
mod writer;

use std::fs::OpenOptions;
use std::io;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use netwatch_model::Timestamp;
use rusqlite::{Connection, TransactionBehavior};

use crate::backup::Manifest;
use crate::error::{OpenError, StoreError};
use crate::port::{ReadWork, Store, Verdict, WriteWork};
use connect::failed;
use readers::Readers;
use schema::{Formats, KNOWN};
use tx::Tx;
use writer::Writer;

pub(crate) use copy::{examine, install};

/// Entities in a SQLite file.
pub struct SqliteStore {
    path: PathBuf,
    // Before the writer, so that the last connection that is closed can empty the write-ahead log.
    readers: Readers,
    writer: Writer,
}

impl SqliteStore {
    /// Opens a database, or makes one when there is no file.
    ///
    /// `copy` is where the database is copied to before an older format is brought up to date, and `advice` is said when it is damaged.
    ///
    /// # Errors
    /// When it is not ours, from a later Netwatch, or damaged; it is unchanged then.
    pub fn open(path: &Path, copy: &Path, advice: &str) -> Result<Self, OpenError> {
        Self::open_with(KNOWN, path, copy, advice)
    }

    fn open_with(formats: Formats, path: &Path, copy: &Path, advice: &str) -> Result<Self, OpenError> {
        connect::check_library()?;
        let made = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
        let is_new = match made {
            Ok(_) => true,
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => false,
            Err(error) => return Err(OpenError::file("make", path)(error)),
        };
        if !is_new {
            bring_up_to_date(formats, path, copy, advice)?;
        }
        let failed = |action| broken(path, action, advice);
        let mut connection = connect::connect(path, true).map_err(failed("open"))?;
        if is_new || schema::format_of(&connection).map_err(failed("read"))? == Some(0) {
            formats.migrate(&mut connection, 0).map_err(failed("write to"))?;
        }
        if let Err(error) = connect::empty_log(&connection) {
            tracing::warn!(%error, path = %path.display(), "the write-ahead log of the entity database cannot be emptied");
        }
        Ok(Self { path: path.to_owned(), readers: Readers::new(path.to_owned()), writer: Writer::new(connection) })
    }

    /// Works in a transaction on a writing connection, and keeps or undoes what it did.
    fn transact(connection: &mut Connection, now: Timestamp, work: WriteWork) -> Result<(), StoreError> {
        let begun = connection.transaction_with_behavior(TransactionBehavior::Immediate);
        let transaction = begun.map_err(failed("begin a change"))?;
        match work(&Tx { connection: &transaction, now }) {
            Verdict::Keep => transaction.commit().map_err(failed("keep a change")),
            Verdict::Undo => transaction.rollback().map_err(failed("undo a change")),
        }
    }
}

impl Store for SqliteStore {
    fn read(&self, work: ReadWork<'_>) -> Result<(), StoreError> {
        self.readers.run(|connection| {
            let begun = connection.transaction_with_behavior(TransactionBehavior::Deferred);
            let transaction = begun.map_err(failed("begin to read"))?;
            work(&Tx { connection: &transaction, now: Timestamp::ZERO });
            transaction.finish().map_err(failed("end reading"))
        })?
    }

    fn write(&self, now: Timestamp, work: WriteWork) -> Result<(), StoreError> {
        self.writer.run(move |connection| Self::transact(connection, now, work))?
    }

    fn copy_to(&self, file: &Path, now: Timestamp) -> Result<Manifest, OpenError> {
        copy::copy(&self.path, file, now)
    }

    fn replace_from(&self, file: &Path) -> Result<(), OpenError> {
        let source = copy::prepare(file)?;
        let path = file.to_owned();
        self.writer.run(move |connection| copy::replace(connection, &source, &path))?
    }

    fn check(&self) -> Result<(), StoreError> {
        self.readers.run(|connection| check::everything(connection))?
    }
}

/// Examines a database that exists, and brings an older format up to date after a copy was made.
fn bring_up_to_date(formats: Formats, path: &Path, copy: &Path, advice: &str) -> Result<(), OpenError> {
    let failed = |action| broken(path, action, advice);
    let mut connection = connect::connect(path, true).map_err(failed("open"))?;
    let format = schema::format_of(&connection).map_err(failed("read"))?;
    let format = format.ok_or_else(|| OpenError::Foreign(path.to_owned()))?;
    if format > formats.newest() {
        return Err(OpenError::Newer { path: path.to_owned(), found: format, known: formats.newest() });
    }
    check::pages(&connection).map_err(failed("check"))?.map_or(Ok(()), |detail| Err(damaged(path, detail, advice)))?;
    if format == 0 {
        return Ok(());
    }
    if format < formats.newest() {
        drop(connection);
        copy::copy_raw(path, copy)?;
        connection = connect::connect(path, true).map_err(failed("open"))?;
        formats.migrate(&mut connection, format).map_err(|source| OpenError::Migrate {
            path: path.to_owned(),
            copy: copy.to_owned(),
            to: formats.newest(),
            source: source.into(),
        })?;
    }
    match check::objects(&connection) {
        Err(error @ StoreError::Damaged { .. }) => Err(damaged(path, error.to_string(), advice)),
        other => Ok(other?),
    }
}

/// What it means that a file cannot be opened, read or written.
fn broken(path: &Path, action: &'static str, advice: &str) -> impl FnOnce(rusqlite::Error) -> OpenError + use<> {
    let (path, advice) = (path.to_owned(), advice.to_owned());
    move |error| {
        if connect::is_damage(&error) {
            return OpenError::Damaged { path, detail: error.to_string(), advice };
        }
        if connect::is_full(&error) {
            return OpenError::Full { path, source: error.into() };
        }
        OpenError::Database { action, path, source: error.into() }
    }
}

fn damaged(path: &Path, detail: String, advice: &str) -> OpenError {
    OpenError::Damaged { path: path.to_owned(), detail, advice: advice.to_owned() }
}

#[cfg(test)]
mod tests;
