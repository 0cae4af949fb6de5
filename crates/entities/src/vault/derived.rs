//! Secrets that are kept nowhere: they come out of the keys of the key file whenever they are needed (HKDF, RFC 5869, with SHA-256).
//!
//! Who has the database, a backup of it, or some of the derived secrets learns nothing of the others. A new key in the file makes all of them
//! new; those of the key before can still be told, because not everybody hears of a new one at once.

use std::fmt;

use ring::hkdf::{HKDF_SHA256, Prk, Salt};

/// Keys of the file that still count: the one that seals, and the one before.
pub(super) const GENERATIONS: usize = 2;

/// Derives the secrets of one purpose.
#[derive(Clone, Default)]
pub struct Derived(Vec<Prk>);

impl Derived {
    /// From keys, the newest first.
    pub(super) fn new<'a>(keys: impl Iterator<Item = &'a [u8; 32]>, purpose: &str) -> Self {
        let salt = Salt::new(HKDF_SHA256, purpose.as_bytes());
        Self(keys.take(GENERATIONS).map(|key| salt.extract(key)).collect())
    }

    /// The secrets of `name`: that of the key that seals, and that of the key before, if there was one.
    #[must_use]
    pub fn of(&self, name: &[u8]) -> Vec<[u8; 32]> {
        let secret = |key: &Prk| {
            let mut secret = [0; 32];
            key.expand(&[name], HKDF_SHA256).and_then(|expanded| expanded.fill(&mut secret)).ok().map(|()| secret)
        };
        self.0.iter().filter_map(secret).collect()
    }
}

impl fmt::Debug for Derived {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Derived(hidden)")
    }
}
