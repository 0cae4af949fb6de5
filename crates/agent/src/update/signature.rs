//! Whose signature counts, and whether a program has it: minisign, with keys that the owner of the host gave.
//!
//! A signature covers the program (BLAKE2b-512, Ed25519) and a trusted comment. The comment must name the file
//! `netwatch-VERSION-OS-ARCH`, alone or as `file:NAME`, which is what `minisign -S` writes by itself: otherwise whoever answers as the
//! server could hand over an old program, or that of another system, as a new version.
//!
//! Limits: [`MOST_KEYS`] keys; a signature of at most [`LONGEST`] octets; signatures of the legacy format without a hash are refused.

use std::fmt;
use std::str::FromStr;

use minisign_verify::{PublicKey, Signature, StreamVerifier};
use netwatch_model::people::Digest;
use ring::digest::{Context, SHA256};

use super::state::Release;

/// Most keys of one agent.
pub const MOST_KEYS: usize = 8;
/// The longest signature, octets.
const LONGEST: usize = 4096;

/// A public key of minisign.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Key {
    text: String,
    key: PublicKey,
}

/// A text that is no key.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("it is not a public key of minisign: copy the second line of minisign.pub, which begins with RW")]
pub struct ParseKeyError;

/// Why a program is not run.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum SignatureError {
    /// Nobody can read the signature.
    #[error("its signature is not one of minisign with a hash of the file: sign it anew with `minisign -S`")]
    Form,
    /// Of none of the keys.
    #[error(
        "it is signed with a key that this agent does not trust: add the key with --update-key, or sign with another"
    )]
    Key,
    /// For another file.
    #[error("its signature is not for {0}: sign it under that name")]
    Name(String),
    /// Another length.
    #[error("it has {found} octets and not {offered}")]
    Length {
        /// What there is.
        found: u64,
        /// What was offered.
        offered: u64,
    },
    /// Another digest.
    #[error("its SHA-256 is not that of the offer")]
    Digest,
    /// The signature is wrong.
    #[error("its signature is wrong: it was altered after it was signed")]
    Wrong,
}

impl FromStr for Key {
    type Err = ParseKeyError;

    fn from_str(text: &str) -> Result<Self, ParseKeyError> {
        let key = PublicKey::from_base64(text).map_err(|_| ParseKeyError)?;
        Ok(Self { text: text.to_owned(), key })
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// A signature that may be right: it can be read, is for the right file, and of a key that is trusted.
pub(super) struct Sealed<'a> {
    release: &'a Release,
    signature: Signature,
    keys: Vec<&'a PublicKey>,
}

impl<'a> Sealed<'a> {
    /// Looks at what can be known without the program.
    pub(super) fn new(release: &'a Release, keys: &'a [Key]) -> Result<Self, SignatureError> {
        let text = Some(&*release.signature).filter(|text| text.len() <= LONGEST).ok_or(SignatureError::Form)?;
        let signature = Signature::decode(text).map_err(|_| SignatureError::Form)?;
        let name = release.version.file_name();
        let mut words = signature.trusted_comment().split_whitespace();
        if !words.any(|word| word.strip_prefix("file:").unwrap_or(word) == name) {
            return Err(SignatureError::Name(name));
        }
        let mut trusted = Vec::new();
        for Key { key, .. } in keys {
            match key.verify_stream(&signature) {
                Ok(_) => trusted.push(key),
                Err(minisign_verify::Error::UnexpectedKeyId) => {}
                Err(_) => return Err(SignatureError::Form),
            }
        }
        if trusted.is_empty() { Err(SignatureError::Key) } else { Ok(Self { release, signature, keys: trusted }) }
    }

    /// Takes the program, part by part.
    pub(super) fn check(&self) -> Check<'_> {
        let verifiers = self.keys.iter().filter_map(|key| key.verify_stream(&self.signature).ok()).collect();
        Check { release: self.release, verifiers, hash: Context::new(&SHA256), bytes: 0 }
    }
}

/// A program that comes in parts.
pub(super) struct Check<'a> {
    release: &'a Release,
    verifiers: Vec<StreamVerifier<'a>>,
    hash: Context,
    bytes: u64,
}

impl Check<'_> {
    /// The next part; an error as soon as there is more than was offered.
    pub(super) fn update(&mut self, part: &[u8]) -> Result<(), SignatureError> {
        self.bytes = self.bytes.saturating_add(part.len() as u64);
        let offered = self.release.bytes;
        if self.bytes > offered {
            return Err(SignatureError::Length { found: self.bytes, offered });
        }
        self.hash.update(part);
        self.verifiers.iter_mut().for_each(|verifier| verifier.update(part));
        Ok(())
    }

    /// Whether it is the program that was offered, and signed.
    pub(super) fn finish(mut self) -> Result<(), SignatureError> {
        let (found, offered) = (self.bytes, self.release.bytes);
        if found != offered {
            return Err(SignatureError::Length { found, offered });
        }
        let mut digest = [0; 32];
        digest.copy_from_slice(self.hash.finish().as_ref());
        if Digest::from_bytes(digest) != self.release.digest {
            return Err(SignatureError::Digest);
        }
        if self.verifiers.iter_mut().any(|verifier| verifier.finalize().is_ok()) {
            return Ok(());
        }
        Err(SignatureError::Wrong)
    }
}

#[cfg(test)]
mod tests;
