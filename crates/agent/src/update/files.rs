//! What self-update keeps in the data directory.
//!
//! ```text
//! update.json                              the state; set aside as update.json.damaged when it cannot be read
//! releases/netwatch-VERSION-OS-ARCH        verified programs, executable for their owner alone
//! releases/netwatch-VERSION-OS-ARCH.part   one that is being fetched
//! ```
//!
//! A program has its name only once it is whole, verified and durable. Everything in the folder that the state does not know is removed.
//! Blocks.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};

use super::signature::{Key, Sealed, SignatureError};
use super::state::{Release, State};
use super::version::Version;
use crate::identity::{FileError, Home, read_json, write_json};

const STATE: &str = "update.json";
const RELEASES: &str = "releases";
/// Files of the folder that are looked at.
const MOST_FILES: usize = 1000;
/// Octets that are read at once.
const READ: usize = 64 << 10;

/// A program that is not run, or cannot be kept.
#[derive(Debug, thiserror::Error)]
pub enum ProgramError {
    /// Not the right one.
    #[error(transparent)]
    Signature(#[from] SignatureError),
    /// It cannot be read.
    #[error("{} cannot be read", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// It cannot be written.
    #[error("{} cannot be written: check the space on the disk", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// Others may change it after it was looked at.
    #[error("{} may be changed by others: make it writable for the user of the agent alone", path.display())]
    Shared {
        /// The file or its folder.
        path: PathBuf,
    },
}

/// The files of one data directory.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Files {
    state: PathBuf,
    releases: PathBuf,
}

impl Files {
    pub(super) fn new(home: &Home) -> Self {
        Self { state: home.file(STATE), releases: home.file(RELEASES) }
    }

    /// The state; what is damaged is set aside, and nothing is known then.
    ///
    /// # Errors
    /// When it cannot be read, so that nobody knows what ran here.
    pub(super) fn load(&self) -> Result<State, FileError> {
        match self.look() {
            Err(error @ FileError::Damaged { .. }) => {
                let aside = self.state.with_extension("json.damaged");
                let moved = fs::rename(&self.state, &aside);
                tracing::error!(
                    error = crate::session::chain(&error),
                    aside = %aside.display(),
                    is_aside = moved.is_ok(),
                    "what is known of newer programs is damaged: the installed program goes on, and the file is set aside"
                );
                Ok(State::default())
            }
            other => other,
        }
    }

    /// The state, for a look from outside: nothing is set aside.
    ///
    /// # Errors
    /// When it cannot be read or is damaged.
    pub(super) fn look(&self) -> Result<State, FileError> {
        Ok(read_json(&self.state)?.unwrap_or_default())
    }

    /// Keeps the state, durably.
    ///
    /// # Errors
    /// When it cannot be written.
    pub(super) fn save(&self, state: &State) -> Result<(), FileError> {
        write_json(&self.state, state)
    }

    pub(super) fn program(&self, version: Version) -> PathBuf {
        self.releases.join(version.file_name())
    }

    /// Whether the program on the disk is that release, signed, and nobody else's to change.
    ///
    /// # Errors
    /// Why it is not run.
    pub(super) fn verify(&self, release: &Release, keys: &[Key]) -> Result<PathBuf, ProgramError> {
        let path = self.program(release.version);
        let sealed = Sealed::new(release, keys)?;
        let failed = |source| ProgramError::Read { path: path.clone(), source };
        let mut file = File::open(&path).map_err(failed)?;
        for (place, metadata) in [(&path, file.metadata()), (&self.releases, fs::metadata(&self.releases))] {
            if is_shared(&metadata.map_err(failed)?) {
                return Err(ProgramError::Shared { path: place.clone() });
            }
        }
        let (mut check, mut part) = (sealed.check(), vec![0; READ]);
        loop {
            match file.read(&mut part) {
                Ok(0) => break,
                Ok(length) => check.update(part.get(..length).unwrap_or_default())?,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(source) => return Err(failed(source)),
            }
        }
        check.finish()?;
        Ok(path)
    }

    /// Writes what `next` gives until it gives none, and keeps it if it is that release, signed. Nothing stays behind otherwise.
    ///
    /// # Errors
    /// When it is not, or cannot be kept.
    pub(super) fn receive<B: AsRef<[u8]>, E: From<ProgramError>>(
        &self,
        release: &Release,
        keys: &[Key],
        next: impl FnMut() -> Result<Option<B>, E>,
    ) -> Result<(), E> {
        let path = self.program(release.version);
        let mut part = path.clone().into_os_string();
        part.push(".part");
        let part = PathBuf::from(part);
        let written = self.write(release, keys, &part, next).and_then(|()| {
            let placed = fs::rename(&part, &path).and_then(|()| File::open(&self.releases)?.sync_all());
            placed.map_err(|source| ProgramError::Write { path: path.clone(), source }.into())
        });
        if written.is_err() {
            // It may not have come to be.
            let _ = fs::remove_file(&part);
        }
        written
    }

    fn write<B: AsRef<[u8]>, E: From<ProgramError>>(
        &self,
        release: &Release,
        keys: &[Key],
        path: &Path,
        mut next: impl FnMut() -> Result<Option<B>, E>,
    ) -> Result<(), E> {
        let failed = |source| ProgramError::Write { path: path.to_owned(), source };
        let sealed = Sealed::new(release, keys).map_err(ProgramError::from)?;
        let mut file = self.create(path).map_err(failed)?;
        let mut check = sealed.check();
        while let Some(part) = next()? {
            check.update(part.as_ref()).map_err(ProgramError::from)?;
            file.write_all(part.as_ref()).map_err(failed)?;
        }
        check.finish().map_err(ProgramError::from)?;
        file.sync_all().map_err(failed)?;
        Ok(())
    }

    fn create(&self, path: &Path) -> io::Result<File> {
        let mut make = DirBuilder::new();
        let mut open = OpenOptions::new();
        open.write(true).create_new(true);
        #[cfg(unix)]
        {
            use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
            make.mode(0o700);
            open.mode(0o700);
        }
        make.recursive(true).create(&self.releases)?;
        // What an earlier process left.
        if let Err(error) = fs::remove_file(path)
            && error.kind() != io::ErrorKind::NotFound
        {
            return Err(error);
        }
        open.open(path)
    }

    /// Removes every file that the state does not know.
    pub(super) fn tidy(&self, state: &State) {
        let kept: Vec<PathBuf> = state.kept().map(|version| self.program(version)).collect();
        let Ok(entries) = fs::read_dir(&self.releases) else { return };
        for path in entries.take(MOST_FILES).filter_map(|entry| Some(entry.ok()?.path())) {
            if !kept.contains(&path)
                && let Err(error) = fs::remove_file(&path)
            {
                tracing::warn!(%error, path = %path.display(), "a program that is not needed any more cannot be removed");
            }
        }
    }
}

/// Whether somebody else than root and the user of this process may write to it.
#[cfg(unix)]
fn is_shared(metadata: &fs::Metadata) -> bool {
    use std::os::unix::fs::MetadataExt as _;
    let is_ours = metadata.uid() == 0 || metadata.uid() == crate::os::user();
    !is_ours || metadata.mode() & 0o022 != 0
}

/// Elsewhere the data directory has the rights of its user.
#[cfg(not(unix))]
fn is_shared(_: &fs::Metadata) -> bool {
    false
}

#[cfg(test)]
mod tests;
