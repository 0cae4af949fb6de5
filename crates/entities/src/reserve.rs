//! Space that is given up when there is no other: with it the database can be opened on a full disk, and some changes be made.
//!
//! SQLite needs a few pages before it can even read. Limits: 1 MiB, in a file of zeros. It is made when [`ROOM`] is free: what was given
//! up is not taken back while it is all that there is.

use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

/// What is held back, bytes.
const SIZE: usize = 1 << 20;
/// Free bytes beside which it is held back.
const ROOM: u64 = 16 << 20;

/// The reserve of one directory.
#[derive(Debug)]
pub(crate) struct Reserve(PathBuf);

impl Reserve {
    pub(crate) fn of(directory: &Path) -> Self {
        Self(directory.join("reserve"))
    }

    /// Makes it when it is missing. Without it everything works, as long as there is room.
    pub(crate) fn ensure(&self) {
        if fs::metadata(&self.0).is_ok_and(|found| found.len() == SIZE as u64) {
            return;
        }
        if let Err(error) = self.make() {
            tracing::debug!(%error, "no space is held back for a full disk");
            self.give_up();
        }
    }

    /// Frees its space; false when there was none.
    pub(crate) fn give_up(&self) -> bool {
        fs::remove_file(&self.0).is_ok()
    }

    fn make(&self) -> io::Result<()> {
        let disk = rustix::fs::statvfs(self.0.parent().unwrap_or(&self.0))?;
        if disk.f_bavail.saturating_mul(disk.f_frsize) < ROOM {
            return Err(io::ErrorKind::StorageFull.into());
        }
        let mut options = OpenOptions::new();
        let mut file = options.write(true).create(true).truncate(true).mode(0o600).open(&self.0)?;
        file.write_all(&vec![0; SIZE])?;
        // Only then does it hold its space.
        file.sync_all()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_made_once_and_given_up_once() {
        let folder = tempfile::tempdir().unwrap();
        let reserve = Reserve::of(folder.path());
        assert!(!reserve.give_up());
        reserve.ensure();
        assert_eq!(fs::metadata(folder.path().join("reserve")).unwrap().len(), SIZE as u64);
        assert!(reserve.give_up() && !reserve.give_up());
    }
}
