//! Random secrets, and the hashes by which the server knows them.
//!
//! Secrets have 128 bits or more, so that a plain hash is enough and no slow one is needed (unlike passwords, which people choose).

use std::fmt;

use netwatch_model::people::Digest;
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

/// The operating system gives no random bytes.
#[derive(Debug, thiserror::Error)]
#[error("the operating system gives no random bytes")]
pub struct RandomError(#[source] getrandom::Error);

/// A secret on its way to its only holder: hidden from `Debug`, wiped when dropped.
#[derive(Clone)]
pub struct Secret(Zeroizing<String>);

impl Secret {
    /// The reference of a session: 256 bits.
    ///
    /// # Errors
    /// When there are no random bytes.
    pub fn session() -> Result<Self, RandomError> {
        random::<32>().map(|bytes| Self::hex(&bytes))
    }

    /// The secret of a link or an invitation: 128 bits, short enough for a terminal.
    ///
    /// # Errors
    /// When there are no random bytes.
    pub fn link() -> Result<Self, RandomError> {
        random::<16>().map(|bytes| Self::hex(&bytes))
    }

    /// Takes a text that is a secret.
    #[must_use]
    pub fn new(text: String) -> Self {
        Self(Zeroizing::new(text))
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Its hash.
    #[must_use]
    pub fn digest(&self) -> Digest {
        digest(&self.0)
    }

    fn hex(bytes: &[u8]) -> Self {
        Self::new(bytes.iter().map(|b| format!("{b:02x}")).collect())
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// SHA-256 of a secret.
#[must_use]
pub fn digest(secret: &str) -> Digest {
    Digest::from_bytes(Sha256::digest(secret.as_bytes()).into())
}

/// Equality that takes the same time wherever the difference is.
#[must_use]
pub fn same(a: &Digest, b: &Digest) -> bool {
    a.as_bytes().ct_eq(b.as_bytes()).into()
}

/// 128 random bits, for ids.
///
/// # Errors
/// When there are no random bytes.
pub fn random_bits() -> Result<u128, RandomError> {
    random::<16>().map(u128::from_be_bytes)
}

/// Random bytes.
pub(crate) fn random<const N: usize>() -> Result<[u8; N], RandomError> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(RandomError)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_differ_and_hide() {
        let [a, b] = [Secret::session().unwrap(), Secret::session().unwrap()];
        assert_eq!((a.as_str().len(), Secret::link().unwrap().as_str().len()), (64, 32));
        assert_ne!(a.as_str(), b.as_str());
        assert_eq!(format!("{a:?}"), "Secret(…)");
        assert!(same(&a.digest(), &digest(a.as_str())) && !same(&a.digest(), &b.digest()));
    }

    #[test]
    fn the_digest_is_sha_256() {
        assert!(digest("abc").to_string().starts_with("ba7816bf8f01cfea"), "FIPS 180-2, appendix B.1");
    }
}
