//! The text files of the checkout, as the checks see them.
//!
//! A check takes a [`Tree`] and not the disk, so that its tests hand it a few lines of bad sample. Limits: files above 4 MiB and
//! files that are not UTF-8 are left out; folders of build results are never entered.

use std::collections::BTreeMap;
use std::path::Path;
use std::{fs, io};

const BUILD_FOLDERS: &[&str] =
    &["target", "node_modules", "dist", ".git", ".cache", "test-results", "playwright-report"];
const MAX_BYTES: u64 = 4 * 1024 * 1024;

/// Text files by path from the root, with `/` between folders.
#[derive(Debug, Default)]
pub struct Tree {
    files: BTreeMap<String, String>,
}

/// A folder or file that could not be read.
#[derive(Debug, thiserror::Error)]
#[error("cannot read {path}")]
pub struct ReadError {
    path: String,
    #[source]
    source: io::Error,
}

impl Tree {
    /// All text files below `root`.
    pub fn read(root: &Path) -> Result<Self, ReadError> {
        let mut tree = Self::default();
        tree.read_folder(root, "")?;
        Ok(tree)
    }

    /// Files of a test.
    #[cfg(test)]
    pub fn of(files: &[(&str, &str)]) -> Self {
        Self { files: files.iter().map(|(path, text)| ((*path).to_owned(), (*text).to_owned())).collect() }
    }

    /// The text of one file.
    pub fn get(&self, path: &str) -> Option<&str> {
        self.files.get(path).map(String::as_str)
    }

    /// Whether there is such a file, or a folder with files in it.
    pub fn has(&self, path: &str) -> bool {
        let folder = format!("{}/", path.trim_end_matches('/'));
        path.is_empty() || self.files.contains_key(path) || self.files.keys().any(|file| file.starts_with(&folder))
    }

    /// Every file, in the order of paths.
    pub fn files(&self) -> impl Iterator<Item = (&str, &str)> {
        self.files.iter().map(|(path, text)| (path.as_str(), text.as_str()))
    }

    /// The files whose names end in one of `endings` (without the dot).
    pub fn with_ending(&self, endings: &'static [&'static str]) -> impl Iterator<Item = (&str, &str)> {
        self.files().filter(move |(path, _)| path.rsplit_once('.').is_some_and(|(_, ending)| endings.contains(&ending)))
    }

    fn read_folder(&mut self, folder: &Path, prefix: &str) -> Result<(), ReadError> {
        let fail = |source| ReadError { path: folder.display().to_string(), source };
        for entry in fs::read_dir(folder).map_err(fail)? {
            let entry = entry.map_err(fail)?;
            let name = entry.file_name().to_string_lossy().into_owned();
            let path = if prefix.is_empty() { name.clone() } else { format!("{prefix}/{name}") };
            let kind = entry.file_type().map_err(fail)?;
            if kind.is_dir() && !BUILD_FOLDERS.contains(&name.as_str()) {
                self.read_folder(&entry.path(), &path)?;
            } else if kind.is_file() && entry.metadata().map_err(fail)?.len() <= MAX_BYTES {
                self.read_file(&entry.path(), path)?;
            }
        }
        Ok(())
    }

    fn read_file(&mut self, file: &Path, path: String) -> Result<(), ReadError> {
        match fs::read(file) {
            Ok(bytes) => {
                if let Ok(text) = String::from_utf8(bytes) {
                    self.files.insert(path, text);
                }
                Ok(())
            }
            // Another program may remove a file of its own while we look.
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            Err(source) => Err(ReadError { path, source }),
        }
    }
}
