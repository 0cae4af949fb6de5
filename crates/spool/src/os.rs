//! The real file system.
//!
//! Files are made readable and writable for their owner alone; on Windows they have the rights of their folder, and folders are not
//! synced, which its file systems do by themselves.

use std::fs::{self, OpenOptions, TryLockError};
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};

use crate::files::{File, Files};

#[cfg(unix)]
#[path = "os/unix.rs"]
mod system;
#[cfg(windows)]
#[path = "os/windows.rs"]
mod system;

/// The file that tells who has the log.
const LOCK: &str = "lock";

/// A directory on disk.
#[derive(Clone, Debug)]
pub struct Directory {
    path: PathBuf,
}

impl Directory {
    /// That directory, which need not be there yet. Nothing is touched.
    #[must_use]
    pub fn new(path: &Path) -> Self {
        Self { path: path.to_owned() }
    }
}

impl Files for Directory {
    fn place(&self) -> String {
        self.path.display().to_string()
    }

    fn lock(&self) -> io::Result<Box<dyn Send + Sync>> {
        let is_new = !self.path.exists();
        system::private_folder().recursive(true).create(&self.path)?;
        if is_new && let Some(parent) = self.path.parent() {
            // A directory that a power cut takes away again takes the acknowledged records with it.
            system::sync_folder(parent)?;
        }
        let mut options = system::private_file();
        let mut file = options.read(true).write(true).create(true).truncate(false).open(self.path.join(LOCK))?;
        match file.try_lock() {
            Ok(()) => {
                file.set_len(0)?;
                write!(file, "{}", std::process::id())?;
                Ok(Box::new(file))
            }
            Err(TryLockError::WouldBlock) => {
                let mut owner = String::new();
                // Whoever cannot be named is still there.
                let _ = file.take(20).read_to_string(&mut owner);
                Err(io::Error::new(io::ErrorKind::WouldBlock, owner))
            }
            Err(TryLockError::Error(error)) => Err(error),
        }
    }

    fn names(&self) -> io::Result<Vec<String>> {
        let mut names = Vec::new();
        for entry in fs::read_dir(&self.path)? {
            // A name that is not UTF-8 is none of ours.
            names.extend(entry?.file_name().into_string().ok());
        }
        Ok(names)
    }

    fn create(&self, name: &str) -> io::Result<Box<dyn File>> {
        let file = system::private_file().read(true).write(true).create_new(true).open(self.path.join(name))?;
        Ok(Box::new(file))
    }

    fn open(&self, name: &str) -> io::Result<Box<dyn File>> {
        Ok(Box::new(OpenOptions::new().read(true).write(true).open(self.path.join(name))?))
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        fs::rename(self.path.join(from), self.path.join(to))
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        fs::remove_file(self.path.join(name))
    }

    fn sync(&self) -> io::Result<()> {
        system::sync_folder(&self.path)
    }
}

impl File for fs::File {
    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        system::read_at(self, buffer, offset)
    }

    fn write_at(&self, offset: u64, bytes: &[u8]) -> io::Result<usize> {
        system::write_at(self, bytes, offset)
    }

    fn sync(&self) -> io::Result<()> {
        // The size counts as contents: fdatasync(2) writes what is needed to read the file back.
        self.sync_data()
    }

    fn size(&self) -> io::Result<u64> {
        Ok(self.metadata()?.len())
    }

    fn cut(&self, size: u64) -> io::Result<()> {
        self.set_len(size)
    }

    fn reserve(&self, size: u64) -> io::Result<()> {
        system::reserve(self, size)
    }
}
