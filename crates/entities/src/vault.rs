//! Secrets at rest: sealed with XChaCha20-Poly1305, under keys of a file that is not part of the database.
//!
//! The key file is made at the first start, for its owner only. Each sealed value names its key; the newest key seals, all keys open.
//! The additional data binds a value to its object, so that none can be put in the place of another. A copy of the database without the
//! key file tells nothing; a lost key file loses exactly what was sealed, and says so.
//!
//! Format of the file: a line for each key, oldest first: the id (8 hexadecimal digits, the head of the key's SHA-256) and the key
//! (64 hexadecimal digits). Limits: 64 keys.

mod derived;

use std::fmt;
use std::fs::{self, File, OpenOptions, Permissions};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::{PoisonError, RwLock};

use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use sha2::{Digest as _, Sha256};
use zeroize::{Zeroize as _, Zeroizing};

pub use self::derived::Derived;

/// Most keys of a file.
const MAX_KEYS: usize = 64;
/// Largest key file, bytes.
const MAX_FILE: u64 = 64 << 10;
/// Octets of a nonce, before the ciphertext.
const NONCE: usize = 24;

/// Which key: the head of its SHA-256, as 8 hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyId(u32);

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:08x}", self.0)
    }
}

impl fmt::Debug for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A text that is not the id of a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the id of a key must have 8 hexadecimal digits")]
pub struct ParseKeyIdError;

impl FromStr for KeyId {
    type Err = ParseKeyIdError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let fits = text.len() == 8 && text.bytes().all(|b| b.is_ascii_hexdigit());
        fits.then(|| u32::from_str_radix(text, 16).ok()).flatten().map(Self).ok_or(ParseKeyIdError)
    }
}

/// Secrets cannot be sealed or opened.
#[derive(Debug, thiserror::Error)]
pub enum VaultError {
    /// The key file cannot be used.
    #[error("cannot {action} the key file {}: its owner must be the user that runs Netwatch", .path.display())]
    File {
        /// What was tried.
        action: &'static str,
        /// Which file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The key file is not what was written.
    #[error("line {line} of the key file {} is not a key: put back the copy of the file that was kept", .path.display())]
    Malformed {
        /// Which file.
        path: PathBuf,
        /// Counted from 1.
        line: usize,
    },
    /// There are as many keys as fit.
    #[error("the key file {} has {MAX_KEYS} keys: restore is possible with all of them, so remove old ones by hand", .0.display())]
    TooManyKeys(PathBuf),
    /// No random bytes.
    #[error("the operating system gives no random bytes")]
    Random(#[source] getrandom::Error),
    /// A value was sealed with a key that is not in the file.
    #[error("the key {0} is not in the key file: put back the copy of the file that was kept, or set the secret anew")]
    LostKey(KeyId),
    /// A value is not what was sealed.
    #[error("a sealed secret was damaged or moved: restore a backup, or set the secret anew")]
    Damaged,
    /// A value cannot be sealed.
    #[error("a secret is too long to be sealed")]
    TooLong,
}

type KeyBytes = Zeroizing<[u8; 32]>;

/// Seals and opens.
pub struct Vault {
    path: PathBuf,
    keys: RwLock<Vec<(KeyId, KeyBytes)>>,
}

impl fmt::Debug for Vault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Vault").field("path", &self.path).finish_non_exhaustive()
    }
}

impl Vault {
    /// Reads the keys of a file; makes file and key when there are none.
    ///
    /// # Errors
    /// When the file cannot be read or made, or is damaged.
    pub fn open(path: &Path) -> Result<Self, VaultError> {
        let keys = match read(path)? {
            // Somebody cut the file: a new key in its place would hide that.
            Some(keys) if keys.is_empty() => return Err(VaultError::Malformed { path: path.to_owned(), line: 1 }),
            Some(keys) => keys,
            None => {
                let key = new_key()?;
                let keys = vec![(id_of(&key), key)];
                write(path, &keys)?;
                keys
            }
        };
        Ok(Self { path: path.to_owned(), keys: RwLock::new(keys) })
    }

    /// The key that seals.
    #[must_use]
    pub fn current(&self) -> KeyId {
        self.lock().last().map_or(KeyId(0), |(id, _)| *id)
    }

    /// Whether a key is in the file.
    #[must_use]
    pub fn has(&self, id: KeyId) -> bool {
        self.lock().iter().any(|(known, _)| *known == id)
    }

    /// Draws a new key, which seals from now on. Older ones stay, for what they sealed and for backups.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn add_key(&self) -> Result<KeyId, VaultError> {
        let key = new_key()?;
        let id = id_of(&key);
        let mut keys = self.keys.write().unwrap_or_else(PoisonError::into_inner);
        if keys.len() >= MAX_KEYS {
            return Err(VaultError::TooManyKeys(self.path.clone()));
        }
        keys.push((id, key));
        if let Err(error) = write(&self.path, &keys) {
            keys.pop();
            return Err(error);
        }
        Ok(id)
    }

    /// Seals `secret` for the one who will name the same `context`.
    ///
    /// # Errors
    /// When there are no random bytes.
    pub fn seal(&self, secret: &[u8], context: &[u8]) -> Result<(KeyId, Vec<u8>), VaultError> {
        let mut sealed = vec![0; NONCE];
        getrandom::fill(&mut sealed).map_err(VaultError::Random)?;
        let nonce = XNonce::try_from(sealed.as_slice()).map_err(|_| VaultError::Damaged)?;
        let keys = self.lock();
        let (id, key) = keys.last().ok_or(VaultError::LostKey(KeyId(0)))?;
        let payload = Payload { msg: secret, aad: context };
        let ciphertext = cipher(key).encrypt(&nonce, payload).map_err(|_| VaultError::TooLong)?;
        sealed.extend_from_slice(&ciphertext);
        Ok((*id, sealed))
    }

    /// Opens what was sealed with that key and context.
    ///
    /// # Errors
    /// When the key is lost, or it is not what was sealed.
    pub fn open_sealed(&self, key: KeyId, sealed: &[u8], context: &[u8]) -> Result<Zeroizing<Vec<u8>>, VaultError> {
        let keys = self.lock();
        let (_, bytes) = keys.iter().find(|(id, _)| *id == key).ok_or(VaultError::LostKey(key))?;
        let (nonce, ciphertext) = sealed.split_at_checked(NONCE).ok_or(VaultError::Damaged)?;
        let nonce = XNonce::try_from(nonce).map_err(|_| VaultError::Damaged)?;
        let opened = cipher(bytes).decrypt(&nonce, Payload { msg: ciphertext, aad: context });
        opened.map(Zeroizing::new).map_err(|_| VaultError::Damaged)
    }

    /// Secrets of one purpose that are kept nowhere.
    #[must_use]
    pub fn derived(&self, purpose: &str) -> Derived {
        Derived::new(self.lock().iter().rev().map(|(_, key)| &**key), purpose)
    }

    fn lock(&self) -> std::sync::RwLockReadGuard<'_, Vec<(KeyId, KeyBytes)>> {
        // A key is added whole, so that a poisoned lock guards nothing broken.
        self.keys.read().unwrap_or_else(PoisonError::into_inner)
    }
}

fn cipher(key: &KeyBytes) -> XChaCha20Poly1305 {
    XChaCha20Poly1305::new(&(**key).into())
}

fn new_key() -> Result<KeyBytes, VaultError> {
    let mut key = Zeroizing::new([0; 32]);
    getrandom::fill(key.as_mut_slice()).map_err(VaultError::Random)?;
    Ok(key)
}

fn id_of(key: &KeyBytes) -> KeyId {
    let digest: [u8; 32] = Sha256::digest(key.as_slice()).into();
    let [a, b, c, d, ..] = digest;
    KeyId(u32::from_be_bytes([a, b, c, d]))
}

/// The keys of the file; none when there is no file. What others could read is closed to them first.
fn read(path: &Path) -> Result<Option<Vec<(KeyId, KeyBytes)>>, VaultError> {
    let fail = |source| VaultError::File { action: "read", path: path.to_owned(), source };
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(fail(error)),
    };
    if file.metadata().map_err(fail)?.permissions().mode() & 0o077 != 0 {
        tracing::warn!(file = %path.display(), "others could read the keys of the secrets: access is closed to them now");
        file.set_permissions(Permissions::from_mode(0o600)).map_err(fail)?;
    }
    let mut bytes = Zeroizing::new(Vec::new());
    file.take(MAX_FILE).read_to_end(&mut bytes).map_err(fail)?;
    let malformed = |line| VaultError::Malformed { path: path.to_owned(), line };
    let text = std::str::from_utf8(&bytes).map_err(|_| malformed(1))?;
    let lines = text.lines().enumerate().filter(|(_, line)| !line.is_empty());
    lines.map(|(i, line)| key_of(line).ok_or_else(|| malformed(i + 1))).collect::<Result<Vec<_>, _>>().map(Some)
}

/// The key of a line, when its id is right.
fn key_of(line: &str) -> Option<(KeyId, KeyBytes)> {
    let (id, hex) = line.split_once(' ')?;
    let (pairs, []) = hex.as_bytes().as_chunks::<2>() else { return None };
    let mut key = Zeroizing::new([0; 32]);
    if pairs.len() != key.len() {
        return None;
    }
    for (byte, pair) in key.iter_mut().zip(pairs) {
        let [high, low] = pair.map(|c| char::from(c).to_digit(16).and_then(|d| u8::try_from(d).ok()));
        *byte = high? << 4 | low?;
    }
    let id: KeyId = id.parse().ok()?;
    (id_of(&key) == id).then_some((id, key))
}

/// Writes the file whole or not at all: beside it first, then renamed over it.
fn write(path: &Path, keys: &[(KeyId, KeyBytes)]) -> Result<(), VaultError> {
    let beside = path.with_extension("new");
    let mut text = Zeroizing::new(String::with_capacity(keys.len() * 80));
    for (id, key) in keys {
        text.push_str(&format!("{id} "));
        for byte in key.iter() {
            let mut digits = format!("{byte:02x}");
            text.push_str(&digits);
            digits.zeroize();
        }
        text.push('\n');
    }
    let write = || -> io::Result<()> {
        let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&beside)?;
        file.set_permissions(Permissions::from_mode(0o600))?;
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        fs::rename(&beside, path)?;
        File::open(path.parent().unwrap_or(Path::new(".")))?.sync_all()
    };
    write().map_err(|source| VaultError::File { action: "write", path: path.to_owned(), source })
}

#[cfg(test)]
mod tests;
