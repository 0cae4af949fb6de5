//! Small files of the data directory: replaced as a whole, readable for their owner alone.

use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use serde::Serialize;
use serde::de::DeserializeOwned;

/// A file of the data directory.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    /// It cannot be read.
    #[error("{} cannot be read: check that it belongs to the user of the agent", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// It cannot be written.
    #[error("{} cannot be written: check the space on the disk, and that the directory belongs to the user of the agent", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// It is damaged.
    #[error("{} is damaged: remove the data directory and enrol this agent anew", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: serde_json::Error,
    },
}

/// What is in a file; none when there is none.
pub(super) fn read(path: &Path) -> Result<Option<Vec<u8>>, FileError> {
    match fs::read(path) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(source) => Err(FileError::Read { path: path.to_owned(), source }),
    }
}

/// Removes a file or a directory with all that is in it; it may be gone already.
pub(super) fn remove(path: &Path) -> Result<(), FileError> {
    let removed = if path.is_dir() { fs::remove_dir_all(path) } else { fs::remove_file(path) };
    match removed {
        Err(source) if source.kind() != io::ErrorKind::NotFound => {
            Err(FileError::Write { path: path.to_owned(), source })
        }
        _ => Ok(()),
    }
}

/// Reads a document; none when there is no such file.
///
/// # Errors
/// When it cannot be read or is damaged.
pub fn read_json<T: DeserializeOwned>(path: &Path) -> Result<Option<T>, FileError> {
    let Some(bytes) = read(path)? else { return Ok(None) };
    let damaged = |source| FileError::Damaged { path: path.to_owned(), source };
    serde_json::from_slice(&bytes).map(Some).map_err(damaged)
}

/// Writes a document as [`write_private`] does.
///
/// # Errors
/// When it cannot be written.
pub fn write_json<T: Serialize>(path: &Path, document: &T) -> Result<(), FileError> {
    let damaged = |source| FileError::Damaged { path: path.to_owned(), source };
    write_private(path, &serde_json::to_vec(document).map_err(damaged)?)
}

/// Puts a file in place of what was there, durably: after a power cut it is the old one or the new one. Directories are made.
///
/// # Errors
/// When it cannot be written.
pub fn write_private(path: &Path, bytes: &[u8]) -> Result<(), FileError> {
    replace(path, bytes).map_err(|source| FileError::Write { path: path.to_owned(), source })
}

fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let directory = path.parent().unwrap_or_else(|| Path::new("."));
    let mut make = fs::DirBuilder::new();
    let mut open = OpenOptions::new();
    open.write(true).create(true).truncate(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
        make.mode(0o700);
        open.mode(0o600);
    }
    make.recursive(true).create(directory)?;
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".new");
    let new = directory.join(name);
    let mut file = open.open(&new)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    fs::rename(&new, path)?;
    // Folders are no files on Windows, whose file systems keep such a change by themselves.
    #[cfg(unix)]
    fs::File::open(directory)?.sync_all()?;
    Ok(())
}
