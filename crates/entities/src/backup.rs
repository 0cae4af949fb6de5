//! Backups as files: a manifest and one state of the database, in a tar archive.
//!
//! An archive has exactly two members, `manifest.json` and `entities.db`. Nothing of an archive decides where something is written: members
//! are known by these two names and copied to places that the reader chose. Bytes and hash of the manifest must fit.
//!
//! The key file of the secrets is not part of a backup: who has both can read the secrets. Keep a copy of it elsewhere.
//!
//! Limits: 64 GiB for the database, 64 KiB for the manifest.

use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use netwatch_model::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::error::OpenError;

const MANIFEST: &str = "manifest.json";
const DATABASE: &str = "entities.db";
const MAX_MANIFEST: u64 = 64 << 10;
const MAX_DATABASE: u64 = 64 << 30;
/// How every SQLite file begins.
const SQLITE: &[u8; 16] = b"SQLite format 3\0";

/// What a state of the database has.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Contents {
    /// Format of the database.
    pub format: u32,
    /// Objects of each kind.
    pub objects: BTreeMap<String, u64>,
    /// Records of the audit log.
    pub audit_records: u64,
}

/// What a backup is.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// Of which form this manifest is: 1.
    pub manifest: u32,
    /// When it was made.
    pub created: Timestamp,
    /// Which Netwatch made it.
    pub version: String,
    /// With which engine.
    pub engine: String,
    /// What is in it.
    pub contents: Contents,
    /// Bytes of the database.
    pub bytes: u64,
    /// SHA-256 of the database, hexadecimal digits.
    pub sha256: String,
}

impl Manifest {
    pub(crate) fn new(created: Timestamp, engine: &str, contents: Contents, bytes: u64, sha256: String) -> Self {
        let version = env!("CARGO_PKG_VERSION").to_owned();
        Self { manifest: 1, created, version, engine: format!("sqlite {engine}"), contents, bytes, sha256 }
    }
}

/// Writes an archive of a copy and its manifest to a stream.
pub(crate) fn write_archive(out: impl Write, manifest: &Manifest, copy: &Path) -> Result<(), OpenError> {
    let fail = |source| OpenError::File { action: "write the archive of", path: copy.to_owned(), source };
    let text = serde_json::to_vec_pretty(manifest).map_err(|error| fail(error.into()))?;
    let mut archive = tar::Builder::new(out);
    let header = |name: &str, size: u64| -> io::Result<tar::Header> {
        let mut header = tar::Header::new_ustar();
        header.set_path(name)?;
        header.set_size(size);
        header.set_mode(0o600);
        header.set_mtime(u64::try_from(manifest.created.secs()).unwrap_or(0));
        header.set_cksum();
        Ok(header)
    };
    let write = || -> io::Result<()> {
        archive.append(&header(MANIFEST, text.len() as u64)?, text.as_slice())?;
        archive.append(&header(DATABASE, manifest.bytes)?, File::open(copy)?)?;
        archive.into_inner()?.flush()
    };
    write().map_err(fail)
}

/// Takes the database out of a backup: an archive, or a bare copy of the database. It is written to the new file `to`.
pub(crate) fn extract(backup: &Path, to: &Path) -> Result<(), OpenError> {
    let mut file = File::open(backup).map_err(OpenError::file("read", backup))?;
    let mut head = [0; SQLITE.len()];
    let is_bare = file.read_exact(&mut head).is_ok() && head == *SQLITE;
    if is_bare {
        let file = File::open(backup).map_err(OpenError::file("read", backup))?;
        return copy_bounded(file, to, backup).map(|_| ());
    }
    walk(backup, |database| copy_bounded(database, to, backup)).map(|_| ())
}

/// Reads an archive from its beginning to its end: whether it is a whole backup.
///
/// # Errors
/// When it cannot be read, or is not what its manifest says.
pub fn verify(archive: &Path) -> Result<Manifest, OpenError> {
    walk(archive, |database| digest(database).map_err(OpenError::file("read", archive)))
}

/// Goes through the members of an archive; `take` gives bytes and hash of the database.
fn walk(
    backup: &Path,
    take: impl FnOnce(&mut dyn Read) -> Result<(u64, String), OpenError>,
) -> Result<Manifest, OpenError> {
    let no = |detail: String| OpenError::NoBackup { path: backup.to_owned(), detail };
    let file = File::open(backup).map_err(OpenError::file("read", backup))?;
    let mut archive = tar::Archive::new(file);
    let mut manifest: Option<Manifest> = None;
    for entry in archive.entries().map_err(|e| no(e.to_string()))? {
        let mut entry = entry.map_err(|error| no(format!("it is not a whole archive: {error}")))?;
        let is = |name: &str| entry.path_bytes().as_ref() == name.as_bytes() && entry.header().entry_type().is_file();
        let (is_manifest, is_database) = (is(MANIFEST), is(DATABASE));
        match manifest {
            None if is_manifest => {
                let text = io::read_to_string(entry.take(MAX_MANIFEST)).map_err(|e| no(e.to_string()))?;
                manifest =
                    Some(serde_json::from_str(&text).map_err(|e| no(format!("its manifest cannot be read: {e}")))?);
            }
            Some(manifest) if is_database => {
                let found = take(&mut entry)?;
                let fits = found == (manifest.bytes, manifest.sha256.clone());
                return if fits {
                    Ok(manifest)
                } else {
                    Err(no("its database is not the one of its manifest".to_owned()))
                };
            }
            _ => return Err(no("it has members that no backup has, or in another order".to_owned())),
        }
    }
    Err(no("it has no database: it was cut, or is not a backup of Netwatch".to_owned()))
}

/// Copies to a new file and syncs it; its length and hash.
fn copy_bounded(from: impl Read, to: &Path, backup: &Path) -> Result<(u64, String), OpenError> {
    let made = OpenOptions::new().write(true).create_new(true).mode(0o600).open(to);
    let mut out = made.map_err(OpenError::file("write", to))?;
    let copied = io::copy(&mut from.take(MAX_DATABASE), &mut out).and_then(|_| out.sync_all());
    copied.map_err(|source| OpenError::File { action: "unpack", path: backup.to_owned(), source })?;
    digest_of(to)
}

/// Length and SHA-256 of a file.
pub(crate) fn digest_of(file: &Path) -> Result<(u64, String), OpenError> {
    File::open(file).and_then(|mut open| digest(&mut open)).map_err(OpenError::file("read", file))
}

fn digest(from: &mut dyn Read) -> io::Result<(u64, String)> {
    let mut hash = Sha256::new();
    let mut buffer = vec![0; 64 << 10];
    let mut bytes = 0;
    loop {
        let n = from.read(&mut buffer)?;
        if n == 0 {
            return Ok((bytes, hash.finalize().iter().map(|b| format!("{b:02x}")).collect()));
        }
        hash.update(buffer.get(..n).unwrap_or_default());
        bytes += n as u64;
    }
}

/// Removes a file that may be there.
pub(crate) fn remove_if_there(path: &Path) -> Result<(), OpenError> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(OpenError::file("remove", path)(error)),
        _ => Ok(()),
    }
}
