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

/// The token of the file; when there is none, `given` or a random one is written there. A file that cannot be a token is damaged, and
/// easily replaced: it is set aside.
pub(super) fn token(path: &Path, given: Option<&str>) -> Result<String, AccessError> {
    let found = match read(path)?.map(|bytes| written_token(&bytes)) {
        Some(None) => {
            set_aside(path)?;
            None
        }
        Some(token) => token,
        None => None,
    };
    if let Some(token) = found {
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

/// The token in the bytes of a file, when they can be one.
fn written_token(bytes: &[u8]) -> Option<String> {
    let token = std::str::from_utf8(bytes).ok()?.trim_end_matches(['\r', '\n']);
    check_token(token, "the file").ok()?;
    Some(token.to_owned())
}

fn set_aside(path: &Path) -> Result<(), AccessError> {
    let aside = path.with_extension("damaged");
    tracing::warn!(
        file = %path.display(), kept_as = %aside.display(),
        "the token cannot be used: it must have {MIN_TOKEN} to {MAX_TOKEN} visible ASCII characters and no space. A new one is made; \
         give it to whoever used the old one"
    );
    fs::rename(path, &aside).map_err(|source| AccessError::Write { path: aside, source })
}

fn check_token(token: &str, place: &str) -> Result<(), AccessError> {
    let fits = (MIN_TOKEN..=MAX_TOKEN).contains(&token.len()) && token.bytes().all(|b| b.is_ascii_graphic());
    if fits { Ok(()) } else { Err(AccessError::WeakToken { place: place.to_owned() }) }
}

/// The content of a file, none when there is no such file. What others could read is closed to them first.
fn read(path: &Path) -> Result<Option<Vec<u8>>, AccessError> {
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
    let mut content = Vec::new();
    file.take(MAX_FILE).read_to_end(&mut content).map_err(fail)?;
    Ok(Some(content))
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
