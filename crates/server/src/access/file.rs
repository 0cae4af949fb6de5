//! The token file of the data directory, readable by its owner only.

use std::fs::{self, DirBuilder, File, OpenOptions, Permissions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::Path;

use netwatch_identity::secret::Secret;

use super::error::AccessError;

/// Shortest token that is taken from outside.
pub(super) const MIN_TOKEN: usize = 16;
/// Longest token.
pub(super) const MAX_TOKEN: usize = 512;
/// Largest file that is read.
const MAX_FILE: u64 = 64 << 10;

/// Makes the data directory, for its owner only, when it is missing.
pub(super) fn make_directory(path: &Path) -> Result<(), AccessError> {
    let made = DirBuilder::new().recursive(true).mode(0o700).create(path);
    made.map_err(|source| AccessError::Directory { path: path.to_owned(), source })
}

/// The token of the file; when there is none, `given` or a random one is written there.
pub(super) fn token(path: &Path, given: Option<&str>) -> Result<String, AccessError> {
    if let Some(text) = read(path)? {
        let token = text.trim_end_matches(['\r', '\n']).to_owned();
        check_token(&token, &path.display().to_string())?;
        if given.is_some_and(|g| g != token) {
            tracing::warn!(file = %path.display(), "the data directory has a token already: the one given for a new directory is not used");
        }
        return Ok(token);
    }
    let token = match given {
        Some(given) => given.to_owned(),
        None => Secret::session()?.as_str().to_owned(),
    };
    check_token(&token, "NETWATCH_TOKEN")?;
    write(path, format!("{token}\n").as_bytes())?;
    Ok(token)
}

fn check_token(token: &str, place: &str) -> Result<(), AccessError> {
    let fits = (MIN_TOKEN..=MAX_TOKEN).contains(&token.len()) && token.bytes().all(|b| b.is_ascii_graphic());
    if fits { Ok(()) } else { Err(AccessError::WeakToken { place: place.to_owned() }) }
}

/// The text of a file, none when there is no such file. What others could read is closed to them first.
fn read(path: &Path) -> Result<Option<String>, AccessError> {
    let fail = |source| AccessError::Read { path: path.to_owned(), source };
    let file = match File::open(path) {
        Ok(file) => file,
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(e) => return Err(fail(e)),
    };
    if file.metadata().map_err(fail)?.permissions().mode() & 0o077 != 0 {
        tracing::warn!(file = %path.display(), "others could read this secret: access is closed to them now");
        file.set_permissions(Permissions::from_mode(0o600)).map_err(fail)?;
    }
    let mut text = String::new();
    file.take(MAX_FILE).read_to_string(&mut text).map_err(fail)?;
    Ok(Some(text))
}

/// Writes a file whole or not at all: beside it first, then renamed over it.
fn write(path: &Path, bytes: &[u8]) -> Result<(), AccessError> {
    let beside = path.with_extension("new");
    let write = || -> io::Result<()> {
        let mut options = OpenOptions::new();
        options.write(true).create(true).truncate(true).mode(0o600);
        let mut file = options.open(&beside)?;
        file.set_permissions(Permissions::from_mode(0o600))?;
        file.write_all(bytes)?;
        file.sync_all()?;
        fs::rename(&beside, path)?;
        File::open(path.parent().unwrap_or(Path::new(".")))?.sync_all()
    };
    write().map_err(|source| AccessError::Write { path: path.to_owned(), source })
}
