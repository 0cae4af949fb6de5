//! Programs with their signatures, for tests.

use netwatch_model::people::Digest;
use ring::digest::{SHA256, digest};

use super::signer::Signer;
use super::{Key, Release, Version};

pub(super) const VERSION: Version = Version::new(0, 2, 0);

/// A program, its offer, and the keys that are trusted.
pub(super) struct Signed {
    pub(super) release: Release,
    pub(super) keys: Vec<Key>,
    pub(super) program: Vec<u8>,
}

pub(super) fn signed(version: Version, program: &[u8]) -> Signed {
    signed_by(&Signer::new(), version, program)
}

pub(super) fn signed_by(signer: &Signer, version: Version, program: &[u8]) -> Signed {
    let digest = Digest::from_bytes(digest(&SHA256, program).as_ref().try_into().unwrap());
    let signature = signer.sign(program, &version.file_name());
    let release = Release { version, bytes: program.len() as u64, digest, signature };
    Signed { release, keys: vec![signer.key().parse().unwrap()], program: program.to_vec() }
}
