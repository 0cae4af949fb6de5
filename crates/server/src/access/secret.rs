//! Random secrets, and the hashes by which they are known here.

use std::fmt;

use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq;

use super::file::AccessError;

/// A secret on its way to its only holder. Never shown by `Debug`, so that no log has it.
pub struct Secret(String);

impl Secret {
    /// A one-time code: 128 bits.
    pub(super) fn code() -> Result<Self, AccessError> {
        Self::random::<16>()
    }

    /// The secret of a session: 256 bits.
    pub(super) fn session() -> Result<Self, AccessError> {
        Self::random::<32>()
    }

    /// A bearer token: 256 bits.
    pub(super) fn token() -> Result<Self, AccessError> {
        Self::random::<32>()
    }

    /// The text, hexadecimal digits.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    fn random<const N: usize>() -> Result<Self, AccessError> {
        let mut bytes = [0; N];
        getrandom::fill(&mut bytes).map_err(AccessError::Random)?;
        Ok(Self(hex(&bytes)))
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// SHA-256 of a secret. Secrets are random and long, so that no slow hash is needed.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(crate) struct Digest([u8; 32]);

impl Digest {
    /// Of that text.
    pub(super) fn of(text: &str) -> Self {
        Self(Sha256::digest(text.as_bytes()).into())
    }

    /// Equality that takes the same time whatever the difference.
    pub(super) fn same(&self, other: &Self) -> bool {
        self.0.ct_eq(&other.0).into()
    }

    /// As 64 hexadecimal digits.
    pub(super) fn to_hex(self) -> String {
        hex(&self.0)
    }

    /// From 64 hexadecimal digits.
    pub(super) fn from_hex(text: &str) -> Option<Self> {
        let (pairs, []) = text.as_bytes().as_chunks::<2>() else { return None };
        let mut bytes = [0; 32];
        if pairs.len() != bytes.len() {
            return None;
        }
        for (byte, pair) in bytes.iter_mut().zip(pairs) {
            let [high, low] = pair.map(|c| char::from(c).to_digit(16).and_then(|d| u8::try_from(d).ok()));
            *byte = high? << 4 | low?;
        }
        Some(Self(bytes))
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_differ_and_hide() {
        let [a, b] = [Secret::code().unwrap(), Secret::code().unwrap()];
        assert_eq!(a.as_str().len(), 32);
        assert_ne!(a.as_str(), b.as_str());
        assert_eq!(format!("{a:?}"), "Secret(…)");
    }

    #[test]
    fn digests_are_read_back() {
        let digest = Digest::of("abc");
        assert!(digest.to_hex().starts_with("ba7816bf8f01cfea"), "FIPS 180-2, appendix B.1");
        assert_eq!(Digest::from_hex(&digest.to_hex()), Some(digest));
        assert!(digest.same(&Digest::of("abc")) && !digest.same(&Digest::of("abd")));
        for bad in ["", "ab", &"z".repeat(64), &"a".repeat(63), &"é".repeat(32)] {
            assert_eq!(Digest::from_hex(bad), None, "{bad}");
        }
    }
}
